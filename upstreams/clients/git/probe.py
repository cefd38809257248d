"""Whether an address is a Git repository that lets us in: its branches and tags are asked for, and nothing is fetched."""

from dataclasses import replace

from upstreams.clients.git.address import Way
from upstreams.clients.git.remote import GitTarget, list_refs
from upstreams.clients.probe import Finding
from upstreams.errors import UpstreamError

CODES = {"not_a_repository": "not_a_repository"}  # by cause, where a program should tell them apart
# By cause, or by code where there is none: what was found, and what to do about it.
WORDS: dict[str, tuple[str, str]] = {
    "upstream_unauthorized": (
        "The repository refused our credentials, or wants some.",
        (
            "Over HTTPS most forges want basic: a user and an access token that may read the repository. Over SSH the public half of the"
            " private key has to be a deploy key of the repository."
        ),
    ),
    "key": (
        "The private key cannot be read, so nobody was asked.",
        "Give an OpenSSH or PEM key without a passphrase: ssh-keygen -t ed25519 -N '' makes one.",
    ),
    "host_key": (
        "The host did not prove to be the one it was: its SSH host key is not the one known.",
        "If it was changed on purpose, enter the private key anew with the host's keys behind it, as ssh-keyscan prints them.",
    ),
    "not_a_repository": (
        "There is no Git repository at that address, or none these credentials may see.",
        "Enter the address git clone takes; many forges say “not found” to whoever may not read the repository.",
    ),
    "no_default": (
        "The repository's HEAD points to a branch that is not there, so nobody can tell which packages it has.",
        "Set its default branch: in the forge's settings, or in the repository by git symbolic-ref HEAD refs/heads/main.",
    ),
    "redirected": ("The address redirects, and redirects are not followed.", "Enter the address it leads to, as git clone shows it."),
    "foreign": (
        "The repository belongs to another user of this machine.",
        "Let the user that Gatehouse runs as own it, or serve it over SSH or HTTPS.",
    ),
    "program": (
        "A program that is needed for it is not installed here.",
        "An operator installs git 2.37 or newer, and ssh for SSH addresses.",
    ),
}


def probe_git(target: GitTarget, seconds: float) -> Finding:
    """Ask for branches and tags. Never raises for what the upstream does."""
    address = target.address
    shown = address.url if address.way is not Way.SSH else f"ssh://{address.host}:{address.port}/"
    try:
        refs = list_refs(_within(target, seconds))
    except UpstreamError as error:
        sentence, hint = WORDS.get(error.cause or error.code, ("", ""))
        code = CODES.get(error.cause, error.code)
        return Finding(code=code, address=shown, detail=error.cause, sentence=sentence, hint=hint)
    if not refs.branches and not refs.tags:
        return Finding(address=shown, sentence="It is a Git repository, and an empty one.", hint="Push a branch to it.")
    numbers = f"{_counted(len(refs.branches), 'branch', 'branches')} and {_counted(len(refs.tags), 'tag', 'tags')}"
    return Finding(address=shown, sentence=f"It is a Git repository with {numbers}; its default branch is {refs.default or 'none'}.")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _within(target: GitTarget, seconds: float) -> GitTarget:
    """The target with shorter times, and without the mirror: nothing is changed by a test."""
    shorter = replace(
        target, is_probe=True, total_timeout=min(target.total_timeout, seconds), connect_timeout=min(target.connect_timeout, seconds)
    )
    if shorter.web is None:
        return shorter
    limits = {name: min(getattr(shorter.web, name), seconds) for name in ("connect_timeout", "read_timeout", "total_timeout")}
    return replace(shorter, web=replace(shorter.web, is_probe=True, **limits))
