"""A network of one's own: inside `unshare --net --mount`, with addresses that look public, and a name server that lies."""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.parts import ROOT

UNSHARE = ("unshare", "--map-root-user", "--net", "--mount")
SET_ADDRESS, SET_FLAGS, UP = 0x8916, 0x8914, 0x1 | 0x40  # ioctl(2) numbers of netdevice(7)
A, NAME = 1, 0xC00C  # a DNS record of an address; a pointer to the question's name


def is_possible() -> bool:
    """Whether this machine lets us have one."""
    with contextlib.suppress(OSError):
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False, timeout=20).returncode == 0
    return False


def run_inside(module: str, *words: str, seconds: float = 110) -> "subprocess.CompletedProcess[str]":
    """Run a module of the tests in a network of its own."""
    command = [*UNSHARE, sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)


def own(*addresses: str) -> None:
    """Let loopback be up and have these addresses besides its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for number, address in enumerate(["127.0.0.1", *addresses]):
            label = f"lo:{number}".encode() if number else b"lo"
            words = struct.pack("16sHH4s8x", label, socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(any_socket, SET_ADDRESS, words)
            fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", label, UP))


class NameServer:
    """Answers each name with its lists of addresses in turn, the last for ever; remembers what it was asked."""

    def __init__(self, folder: Path, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._names = names
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        settings, hosts = folder / "resolv.conf", folder / "nsswitch.conf"
        settings.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")
        hosts.write_text("hosts: files dns\n", encoding="ascii")
        for path, place in ((settings, "/etc/resolv.conf"), (hosts, "/etc/nsswitch.conf")):
            if Path(place).exists():
                subprocess.run(["mount", "--bind", str(path), os.path.realpath(place)], check=True)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            question, asker = self._socket.recvfrom(4096)
            self._socket.sendto(self._answer(question), asker)

    def _answer(self, question: bytes) -> bytes:
        labels, place = [], 12
        while length := question[place]:
            labels.append(question[place + 1 : place + 1 + length].decode("ascii", "replace"))
            place += length + 1
        (kind,) = struct.unpack("!H", question[place + 1 : place + 3])
        found = self._next(".".join(labels).lower()) if kind == A else []
        records = b"".join(struct.pack("!HHHIH", NAME, A, 1, 0, 4) + socket.inet_aton(one) for one in found)
        head = question[:2] + struct.pack("!HHHHH", 0x8580, 1, len(found), 0, 0)
        return head + question[12 : place + 5] + records

    def _next(self, name: str) -> Sequence[str]:
        turns = self._names.get(name, [[]])
        found = turns[min(self.asked.count(name), len(turns) - 1)]
        self.asked.append(name)
        return found
