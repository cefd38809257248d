"""Why a TLS connection was not trusted, in words an operator can act on."""

import ssl

# OpenSSL's X509_V_ERR_…: the few that happen to upstreams.
WORDS = {
    9: "its TLS certificate is not valid yet",
    10: "its TLS certificate has expired",
    18: "its TLS certificate is self-signed",
    19: "its TLS certificate is of an authority this machine does not trust",
    20: "its TLS certificate is of an authority this machine does not trust",
    21: "its TLS certificate is of an authority this machine does not trust",
    23: "its TLS certificate was revoked",
    62: "its TLS certificate is for another name",
    64: "its TLS certificate is for another name",
}


def tls_cause(error: BaseException) -> str:
    """The cause in a few words, however deep the libraries have wrapped it."""
    inner: object = error
    while isinstance(inner, BaseException) and not isinstance(inner, ssl.SSLCertVerificationError):
        inner = inner.args[0] if inner.args else None
    code = inner.verify_code if isinstance(inner, ssl.SSLCertVerificationError) else 0
    return WORDS.get(code, "TLS failed")
