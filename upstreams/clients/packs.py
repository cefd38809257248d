"""Git's smart HTTP, as far as the newest state of one branch goes: what is advertised, and a pack of it.

Spoken by our own guarded client, so that addresses, redirects, credentials and time are judged as everywhere; no git
touches the network (gitprotocol-http(5), gitprotocol-pack(5), version 0, which every server speaks).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from upstreams.clients.connections import no_check
from upstreams.clients.http import Answer, Target, get, post, refuse_status
from upstreams.errors import UpstreamBadAnswer

ADVERTISED = "application/x-git-upload-pack-advertisement"
REQUEST, RESULT = "application/x-git-upload-pack-request", "application/x-git-upload-pack-result"
SERVICE = "/info/refs?service=git-upload-pack"
REFS_LIMIT = 16 * 1024 * 1024  # bytes of what is advertised
SHA = re.compile(r"[0-9a-f]{40}")
OK, GONE = 200, frozenset({404, 410})
FLUSH = b""  # what we call a flush packet
PACK, PROGRESS = 1, 2  # bands


@dataclass(frozen=True)
class Advertised:
    """The branch as it stands: its commit ('' where there is none), what the server can, where it finally answered."""

    commit: str
    abilities: frozenset[str]
    url: str


@dataclass(frozen=True)
class Pack:
    """A pack under way. `pieces` are its bytes; the commits in `shallow` have no parents in it."""

    shallow: tuple[str, ...]
    pieces: Iterator[bytes]


def advertised(target: Target, url: str, branch: str, *, before_send: Callable[[], None] = no_check) -> Advertised:
    """Where `branch` (else the default one) of the repository at `url` stands. Raises UpstreamError subclasses."""
    headers = {"accept": f"{ADVERTISED}, */*", "accept-encoding": "identity"}
    answer = get(target, url + SERVICE, headers, before_send=before_send)
    try:
        _check(target, answer, ADVERTISED)
        refs, abilities = _refs(target, _packets(target, answer.pieces(REFS_LIMIT)))
    finally:
        answer.close()
    return Advertised(refs.get(f"refs/heads/{branch}") or refs.get("HEAD", ""), abilities, answer.url.removesuffix(SERVICE))


def fetch_pack(target: Target, found: Advertised, have: str, *, limit: int) -> tuple[Pack, Answer]:
    """The advertised commit without its history; with `have` only what is new since that commit, which is here likewise.

    The caller reads the pack and closes the answer. Raises UpstreamError subclasses.
    """
    if "side-band-64k" not in found.abilities or "shallow" not in found.abilities:
        raise UpstreamBadAnswer(
            f"Upstream {target.name} serves its index by a Git that is too old for shallow clones.", upstream=target.name
        )
    headers = {"accept": RESULT, "accept-encoding": "identity", "content-type": REQUEST}
    answer = post(target, found.url + "/git-upload-pack", _request(found.commit, have), headers)
    try:
        _check(target, answer, RESULT)
        packets = _packets(target, answer.pieces(limit))
        shallow = tuple(_shallow(target, packets))
    except BaseException:
        answer.close()
        raise
    return Pack(shallow, _bands(target, packets)), answer


def _request(want: str, have: str) -> bytes:
    lines = [f"want {want} side-band-64k ofs-delta thin-pack no-progress agent=gatehouse"]
    lines += [f"shallow {have}"] if have else []
    head = b"".join(_packet(line) for line in [*lines, "deepen 1"]) + b"0000"
    return head + (_packet(f"have {have}") if have else b"") + _packet("done")


def _packet(line: str) -> bytes:
    return f"{len(line) + 5:04x}{line}\n".encode()


def _check(target: Target, answer: Answer, kind: str) -> None:
    """The answer is of the kind that was asked for. Raises UpstreamError subclasses."""
    if answer.status in GONE:
        raise UpstreamBadAnswer(f"Upstream {target.name} has no Git repository at the address of its index.", upstream=target.name)
    if answer.status != OK:
        raise refuse_status(answer)
    if answer.headers.get("content-type", "").partition(";")[0].strip() != kind:
        raise UpstreamBadAnswer(
            f"Upstream {target.name} does not serve its index by Git's smart HTTP; is index_type “http” meant?", upstream=target.name
        )


def _refs(target: Target, packets: Iterator[bytes]) -> tuple[dict[str, str], frozenset[str]]:
    """Names with their commits, and what the server can."""
    refs, abilities = dict[str, str](), frozenset[str]()
    for packet in packets:
        line, _, words = packet.partition(b"\x00")
        sha, _, name = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
        if words:
            abilities = frozenset(words.decode("utf-8", "replace").split())
        if SHA.fullmatch(sha) and name != "capabilities^{}":
            refs[name] = sha
    if not abilities:
        raise _garbage(target)
    return refs, abilities


def _shallow(target: Target, packets: Iterator[bytes]) -> Iterator[str]:
    """The first part of the answer to `deepen`: commits whose parents stay away."""
    for packet in packets:
        if packet == FLUSH:
            return
        word, _, sha = packet.decode("ascii", "replace").strip().partition(" ")
        if word not in {"shallow", "unshallow"} or not SHA.fullmatch(sha):
            raise _garbage(target)
        if word == "shallow":
            yield sha


def _bands(target: Target, packets: Iterator[bytes]) -> Iterator[bytes]:
    """The pack out of its side band."""
    is_acknowledged = False
    for packet in packets:
        if not is_acknowledged and packet.startswith((b"NAK", b"ACK ")):
            continue
        is_acknowledged = True
        if packet == FLUSH:
            return
        if packet[0] == PACK:
            yield packet[1:]
        elif packet[0] != PROGRESS:
            raise UpstreamBadAnswer(f"Upstream {target.name} broke off while it sent its index.", upstream=target.name)
    raise _garbage(target)


def _packets(target: Target, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Packet lines (gitprotocol-common(5)); a flush is b"". Raises UpstreamBadAnswer for what is none, and for a cut-off one."""
    held = bytearray()
    for piece in pieces:
        held += piece
        start = 0
        while len(held) - start >= 4:  # noqa: PLR2004 - the digits of a length
            length = _length(target, bytes(held[start : start + 4]))
            if length and len(held) - start < length:
                break
            yield bytes(held[start + 4 : start + length]) if length else FLUSH
            start += length or 4
        del held[:start]
    if held:
        raise _garbage(target)


def _length(target: Target, digits: bytes) -> int:
    try:
        length = int(digits, 16)
    except ValueError:
        raise _garbage(target) from None
    if length in {1, 2, 3, 4} or not digits.isalnum():
        raise _garbage(target)
    return length


def _garbage(target: Target) -> UpstreamBadAnswer:
    return UpstreamBadAnswer(f"Upstream {target.name} sent something else than Git's protocol for its index.", upstream=target.name)
