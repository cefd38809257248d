"""Certificates made on the spot: an authority, and what it or nobody signed."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """One that signs; `path` is its certificate as a file, for SSL_CERT_FILE."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        own = _builder(self.name, self.name, key.public_key(), -DAY, 2 * DAY)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        own = own.add_extension(usage, critical=True)
        own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        object.__setattr__(self, "_key", key)
        self.path.write_bytes(own.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    @property
    def path(self) -> Path:
        """Its certificate."""
        return self.folder / f"{self.name}.pem"

    def context(self, *, host: str = "127.0.0.1", ends: timedelta = DAY) -> ssl.SSLContext:
        """What a server needs to show a certificate for `host` that ends so long from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _builder(self.name, host, key.public_key(), ends - 3 * DAY, ends)
        leaf = leaf.add_extension(x509.SubjectAlternativeName([_general(host)]), critical=False)
        issuer: ec.EllipticCurvePrivateKey = self._key  # type: ignore[attr-defined]
        leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False)
        return _context(self.folder, key, leaf.sign(issuer, hashes.SHA256()))


def self_signed(folder: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    """What a server needs to show a certificate that nobody else signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = _builder(host, host, key.public_key(), -DAY, DAY).add_extension(x509.SubjectAlternativeName([_general(host)]), critical=False)
    return _context(folder, key, own.sign(key, hashes.SHA256()))


def _builder(issuer: str, subject: str, key: ec.EllipticCurvePublicKey, begins: timedelta, ends: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (issuer, subject)]
    built = x509.CertificateBuilder().issuer_name(names[0]).subject_name(names[1]).public_key(key)
    return built.serial_number(x509.random_serial_number()).not_valid_before(now + begins).not_valid_after(now + ends)


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _context(folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> ssl.SSLContext:
    path = folder / f"{certificate.serial_number}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
