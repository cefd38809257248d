"""What the test of an upstream tells a person: a sentence for what was found, and what to do about it."""

from urllib.parse import urlsplit

from upstreams.clients.probe import Finding
from upstreams.errors import VariableUnset
from upstreams.models import Upstream
from upstreams.variables import reads_shell

PATH = (
    "The address of a registry often has a path, like /repository/npm or /api/npm/npm:"
    " npm config get registry says it where people use it already."
)
# code, or code and detail -> what was found, what to do. {address} was asked, {host} and {port} are its, {status} it answered.
SENTENCES: dict[str, tuple[str, str]] = {
    "upstream_unauthorized": (
        "{address} answered {status}: it does not take these credentials.",
        "Look whether the token has expired or was revoked, and whether it may read packages; then enter it anew.",
    ),
    "upstream_unauthorized none": (
        "{address} answered {status}: it wants credentials.",
        "Choose bearer or basic and give it a token that may read.",
    ),
    "upstream_forbidden": (
        "{address} answered {status}: it knows who is asking, and forbids it.",
        (
            "Give the token the right to read packages, and look whether only some networks may ask."
            " Some registries forbid this question alone: then a package can be installed all the same."
        ),
    ),
    "upstream_unreachable dns": (
        "The name {host} does not resolve.",
        "Look at its spelling. A name of your own network has to be known to the name server of the machine that Gatehouse runs on.",
    ),
    "upstream_unreachable refused": (
        "Nothing listens at port {port} of {host}: the connection was refused.",
        "Look whether it is running, whether the port is right, and whether a firewall refuses Gatehouse's machine.",
    ),
    "upstream_unreachable no_way": (
        "There is no way from here to {host}.",
        "Look at routes and firewall of the machine that Gatehouse runs on.",
    ),
    "upstream_unreachable tls_expired": (
        "The certificate of {host} has expired, or is not valid yet.",
        "Whoever runs it has to renew it; look at the clock of Gatehouse's machine too.",
    ),
    "upstream_unreachable tls_name": (
        "The certificate of {host} is for another name.",
        "Enter the address with the name that its certificate is for.",
    ),
    "upstream_unreachable tls_trust": (
        "The certificate of {host} is of an authority that is not trusted here.",
        (
            "An operator adds the authority's certificate to those of the system, or names a file of them in SSL_CERT_FILE; a certificate"
            " that signed itself is trusted in the same way."
        ),
    ),
    "upstream_unreachable tls_revoked": (
        "The certificate of {host} was revoked.",
        "Do not trust it; ask whoever runs it.",
    ),
    "upstream_unreachable tls_none": (
        "{host} does not speak TLS at port {port}.",
        "Begin the address with http://, or enter the port that speaks TLS.",
    ),
    "upstream_unreachable tls": (
        "{host} and Gatehouse could not agree on TLS.",
        "Look whether it speaks TLS 1.2 or newer and sends its whole chain of certificates.",
    ),
    "upstream_unreachable": (
        "The connection to {host} broke before it answered.",
        "Look whether something between the two ends connections: a proxy, a firewall, a load balancer without a server behind it.",
    ),
    "upstream_timeout connect": (
        "{host} did not let Gatehouse connect in time.",
        "A firewall that drops packets looks like this; look at the port, and whether that machine is up.",
    ),
    "upstream_timeout dns": (
        "There was no answer within the time of a test.",
        "Look at the name server of the machine that Gatehouse runs on: a name that takes long to resolve looks like this.",
    ),
    "upstream_timeout": (
        "{host} took the question and did not answer in time.",
        "It is overloaded, or something between the two holds the answer back. Its own times can be set longer, at Times.",
    ),
    "upstream_forbidden_address": (
        "{host} leads to an address that is not public.",
        (
            "An operator of the installation can allow it: its network in ALLOWED_PRIVATE_NETWORKS, in the environment of the web server"
            " and of every worker, then a restart."
        ),
    ),
    "upstream_forbidden_address redirect": (
        "{address} redirects to an address that is never followed: from https to http, or to something that is not the web.",
        "Enter the address it shall lead to, as whoever runs it names it.",
    ),
    "upstream_redirects": (
        "{address} redirects to {moved}, and credentials go to no other address than the one they were entered for.",
        "Look whether {moved} is yours to trust; if so enter that address, and the credentials anew.",
    ),
    "upstream_bad_answer redirect": (
        "{address} redirects in circles, or to nowhere.",
        "Look at the address: with or without a path, http or https.",
    ),
    "upstream_bad_answer": (
        "{address} answered something that makes no sense.",
        "Look at the address, and at what stands between: a proxy may answer in its stead.",
    ),
    "not_a_registry": (
        "{address} answered, but not as a registry does: with a web page.",
        PATH,
    ),
    "not_a_registry json": (
        "{address} answered, but not as a registry does: with other data.",
        PATH,
    ),
    "upstream_unproven": (
        "{address} answered {status}, and so it did to the other questions that name no package.",
        (
            "A wrong path looks like this, and so do a few registries that answer for packages only, like GitLab's:"
            " install one of its packages to be sure."
        ),
    ),
    "upstream_busy": (
        "{address} answered {status}: it has been asked too often.",
        "Wait a minute and test again; credentials often raise the limit.",
    ),
    "upstream_failing": ("{address} answered {status}: it is in trouble itself.", "Test again later, or ask whoever runs it."),
    "upstream_disabled": ("This upstream is switched off, so it was not asked.", "Enable it first."),
    "upstream_unreadable": ("You may not read the registry that this one is fed from.", "Ask an admin of the workspace."),
    "variable_unset": (
        "",
        "Set it at Secrets of the workspace (UPSTREAM_ variables: in the environment of every process), or give other credentials.",
    ),
    "variable_unset shell": (
        "",
        (
            "Set it in this shell for commands given here. For installs and schedules too: as a secret of the workspace, or by a name"
            " like UPSTREAM_TOKEN in the environment of web servers and workers."
        ),
    ),
    "variable_unusable": ("", "Set it anew without line breaks or characters that do not belong there."),
    "not_testable": (
        "There is no test yet for an upstream of kind {kind} and format {format}, so it was not asked.",
        "Ask for one of its packages through the registry and read its resolution.",
    ),
}
IN_GENERAL = ("{address} could not be asked.", "Look at the address and the credentials, and test again.")


def told(upstream: Upstream, finding: Finding) -> tuple[str, str]:
    """The sentence and the hint, '' where there is nothing to do."""
    if finding.is_ok:
        sentence, hint = _all_is_well(upstream, finding)
        return finding.sentence or sentence, finding.hint or hint
    word = "shell" if finding.code == VariableUnset.code and reads_shell() and upstream.is_operators else finding.detail
    word = word or ("none" if upstream.auth_type == Upstream.AuthType.NONE else "")
    sentence, hint = SENTENCES.get(f"{finding.code} {word}") or SENTENCES.get(finding.code) or IN_GENERAL
    facts = _facts(upstream, finding)
    if finding.moved and finding.status is None and "{moved}" not in sentence:
        sentence = "It redirects to {moved}. " + sentence
    return finding.sentence or sentence.format(**facts), finding.hint or hint.format(**facts)


def _all_is_well(upstream: Upstream, finding: Finding) -> tuple[str, str]:
    if upstream.kind == Upstream.Kind.REGISTRY:
        return f"The registry {upstream.source} can be read.", ""
    moved = f"It redirects to {finding.moved}: with that address every question takes one journey less." if finding.moved else ""
    if upstream.auth_type == Upstream.AuthType.NONE:
        return "It answers as a registry does.", moved
    if finding.account:
        return f"It answers as a registry does, and knows these credentials as {finding.account}'s.", moved
    if finding.sentence:  # what was asked there is what an install asks
        return "", moved
    return "It answers as a registry does.", "Whether it takes the credentials shows with the first package: it does not answer -/whoami."


def _facts(upstream: Upstream, finding: Finding) -> dict[str, object]:
    address = finding.address or upstream.url
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    facts = {"address": address, "host": parts.hostname or address, "port": port, "status": finding.status, "moved": finding.moved}
    return {**facts, "kind": upstream.kind, "format": upstream.format}
