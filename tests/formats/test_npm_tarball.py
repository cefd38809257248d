"""Looking into tarballs: what is refused, naming the entry, within bounds.

Row N10 of the threats.
"""

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from packages.formats.errors import ContentInvalid
from packages.formats.npm import tarball, unzipped
from packages.formats.npm.tarball import Inspected, inspect
from tests.parts.pack import tar_gz

GOOD = b'{"name":"a","version":"1.0.0"}'


def look(tmp_path: Path, content: bytes) -> Inspected:
    """Inspect these bytes as a staged file."""
    path = tmp_path / "staged"
    path.write_bytes(content)
    with path.open("rb") as file:
        return inspect(file)


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, link: str = "") -> tarfile.TarInfo:
    """A header."""
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, link
    return made


def archive(*entries: tuple[tarfile.TarInfo, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 - tarfile's word
    """A .tgz of package.json and these entries."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=format) as made:
        made.addfile(entry("package/package.json", size=len(GOOD)), io.BytesIO(GOOD))
        for info, content in entries:
            made.addfile(info, io.BytesIO(content))
    return gzip.compress(plain.getvalue())


def header(*, size: bytes = b"00000000000\0", name: bytes = b"package/odd", kind: bytes = b"0") -> bytes:
    """One hand-made header block with a right checksum, and the end mark."""
    block = bytearray(512)
    block[: len(name)] = name
    block[124:136] = size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def raw(*blocks: bytes) -> bytes:
    """A .tgz of package.json and these raw blocks."""
    first = gzip.decompress(tar_gz({"package/package.json": GOOD}))[:1024]
    return gzip.compress(first + b"".join(blocks) + bytes(1024))


def test_a_usual_package(tmp_path: Path) -> None:
    found = look(tmp_path, tar_gz({"package/package.json": GOOD, "package/index.js": b"1234", "package/lib/package.json": b"broken"}))
    assert found == Inspected(package={"name": "a", "version": "1.0.0"}, file_count=3, unpacked_size=len(GOOD) + 10, files=found.files)


@pytest.mark.parametrize("top", ["package", "a-1.0.0", "@acme", "a" * 90])
def test_any_top_folder(tmp_path: Path, top: str) -> None:
    assert look(tmp_path, tar_gz({f"{top}/package.json": GOOD})).package["name"] == "a"


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names(tmp_path: Path, format: int) -> None:  # noqa: A002 - tarfile's word
    long = "package/" + "d" * 60 + "/" + "f" * 90
    assert look(tmp_path, archive((entry(long, size=3), b"123"), format=format)).unpacked_size == len(GOOD) + 3


def test_a_pax_header_names_package_json(tmp_path: Path) -> None:
    long = "p" * 150 + "/package.json"
    assert look(tmp_path, tar_gz({long: GOOD})).package["name"] == "a"


def test_a_byte_order_mark_and_binding_gyp(tmp_path: Path) -> None:
    found = look(tmp_path, tar_gz({"package/package.json": b"\xef\xbb\xbf" + GOOD, "package/binding.gyp": b"{}"}))
    assert found.has_binding_gyp
    assert not look(tmp_path, tar_gz({"package/package.json": GOOD, "package/src/binding.gyp": b"{}"})).has_binding_gyp


def global_path() -> bytes:
    """A pax header for all entries that renames them."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "package/other"}) as made:
        made.addfile(entry("package/package.json", size=len(GOOD)), io.BytesIO(GOOD))
    return gzip.compress(plain.getvalue())


def sparse() -> bytes:
    """An entry that a GNU reader would expand."""
    info = entry("package/sparse")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "package/x"}
    return archive((info, b""))


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "cut off"),
    "no gzip": (lambda: b"this is no gzip", "not gzip"),
    "zlib": (lambda: b"x\x9c\x03\x00\x00\x00\x00\x01", "not gzip"),
    "gzip of text": (lambda: gzip.compress(b"text"), "cut off in a header"),
    "gzip of noise": (lambda: gzip.compress(b"noise" * 200), "no tar archive"),
    "gzip of nothing": (lambda: gzip.compress(b""), "no package.json"),
    "cut gzip": (lambda: tar_gz({"package/package.json": GOOD})[:-9], "cut off"),
    "bad crc": (lambda: (good := tar_gz({"package/package.json": GOOD}))[:-8] + b"\0\0\0\0" + good[-4:], "damaged"),
    "after the gzip": (lambda: tar_gz({"package/package.json": GOOD}) + b"more", "after the end"),
    "a second gzip": (lambda: tar_gz({"package/package.json": GOOD}) * 2, "after the end"),
    "after the end mark": (lambda: raw(bytes(1024), header()), "after its end mark"),
    "cut tar": (lambda: gzip.compress(gzip.decompress(tar_gz({"package/package.json": GOOD}))[:520]), "package/package.json"),
    "content missing": (lambda: gzip.compress(raw_plain(header(size=b"00000010000\0"))), "package/odd"),
    "negative size": (lambda: raw(header(size=b"\xff" * 12)), "package/odd"),
    "absurd size": (lambda: raw(header(size=b"\x80" + b"\x7f" * 11)), "package/odd"),
    "minus size": (lambda: raw(header(size=b"-0000000001\0")), "package/odd"),
    "bad checksum": (lambda: raw(header()[:-1] + b"x"), "package/odd"),
    "absolute": (lambda: archive((entry("/etc/passwd"), b"")), "/etc/passwd"),
    "traversal": (lambda: archive((entry("package/../../x"), b"")), "package/../../x"),
    "traversal by backslash": (lambda: archive((entry("package\\..\\..\\x"), b"")), "outside"),
    "drive": (lambda: archive((entry("C:/x"), b"")), "C:/x"),
    "symbolic link": (lambda: archive((entry("package/l", tarfile.SYMTYPE, link="/etc"), b"")), "package/l"),
    "hard link": (lambda: archive((entry("package/l", tarfile.LNKTYPE, link="package/package.json"), b"")), "package/l"),
    "device": (lambda: archive((entry("package/d", tarfile.CHRTYPE), b"")), "package/d"),
    "pipe": (lambda: archive((entry("package/p", tarfile.FIFOTYPE), b"")), "package/p"),
    "unknown kind": (lambda: raw(header(kind=b"Z")), "package/odd"),
    "folder with content": (lambda: raw(header(kind=b"5", size=b"00000001000\0"), bytes(512)), "package/odd"),
    "no name": (lambda: raw(header(name=b"")), "no usable name"),
    "path too long": (lambda: archive((entry("package/" + "x/" * 3000 + "y"), b"")), "no usable name"),
    "pax header too long": (lambda: archive((entry("package/" + "x" * 400_000), b"")), "header of"),
    "pax for all": (global_path, "all its entries"),
    "sparse": (sparse, "sparse"),
    "two package.json": (lambda: tar_gz({"package/package.json": GOOD, "evil/package.json": GOOD}), "evil/package.json"),
    "twice the same": (lambda: archive((entry("package/package.json", size=2), b"{}")), "second package.json"),
    "other letter case": (lambda: tar_gz({"package/package.json": GOOD, "package/PACKAGE.json": GOOD}), "second"),
    "a dot before": (lambda: tar_gz({"package/package.json": GOOD, "./package/package.json": GOOD}), "second"),
    "a dot as folder": (lambda: tar_gz({"package/package.json": GOOD, "./package.json": GOOD}), "second"),
    "none": (lambda: tar_gz({"package/index.js": b""}), "no package.json"),
    "too deep": (lambda: tar_gz({"package/lib/package.json": GOOD}), "no package.json"),
    "not JSON": (lambda: tar_gz({"package/package.json": b"{name:"}), "not JSON"),
    "a list": (lambda: tar_gz({"package/package.json": b"[]"}), "not a JSON object"),
    "deep JSON": (lambda: tar_gz({"package/package.json": b"[" * 100_000}), "not JSON"),
    "large package.json": (lambda: tar_gz({"package/package.json": GOOD + b" " * 3_000_000}), "larger than"),
    "folder package.json": (lambda: archive((entry("x/package.json", tarfile.DIRTYPE), b"")), "second"),
}


def raw_plain(*blocks: bytes) -> bytes:
    """package.json and these blocks, without an end mark."""
    return gzip.decompress(tar_gz({"package/package.json": GOOD}))[:1024] + b"".join(blocks)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    make, words = REFUSED[case]
    with pytest.raises(ContentInvalid) as caught:
        look(tmp_path, make())
    assert words in caught.value.message


def test_a_bomb_is_stopped_by_its_ratio_in_little_memory(tmp_path: Path) -> None:
    plain = io.BytesIO()
    with gzip.GzipFile(fileobj=plain, mode="wb") as file:
        file.write(gzip.decompress(tar_gz({"package/package.json": GOOD}))[:1024] + header(size=b"03777777777\0"))
        for _ in range(64):
            file.write(bytes(1024 * 1024))
    tracemalloc.start()
    with pytest.raises(ContentInvalid, match="times its size"):
        look(tmp_path, plain.getvalue())
    assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    tracemalloc.stop()


def test_the_limits_of_bytes_and_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = tar_gz({"package/package.json": GOOD, **{f"package/{number}": b"" for number in range(20)}})
    monkeypatch.setattr(tarball, "ENTRIES_LIMIT", 20)
    with pytest.raises(ContentInvalid, match="more than 20 entries"):
        look(tmp_path, many)
    monkeypatch.setattr(tarball, "ENTRIES_LIMIT", 21)
    assert look(tmp_path, many).file_count == 21
    monkeypatch.setattr(unzipped, "UNPACKED_LIMIT", 5000)
    with pytest.raises(ContentInvalid, match="unpacks to more"):
        look(tmp_path, many)
