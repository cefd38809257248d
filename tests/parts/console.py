"""Blocks of a guide, run as they stand: ```console blocks with `$ command` lines and what they print.

A comment `<!-- machine: NAME -->` before a block says where it is run. What is printed must be what the page shows; `…`
stands for anything, alone on its line for any lines. A command that ends with `# refused` must fail, any other must not.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = re.compile(r"^<!-- machine: (?P<machine>[a-z]+) -->\n```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^<!-- file: (?P<machine>[a-z]+)/(?P<path>[a-z.]+) -->\n```[a-z]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
REFUSED = re.compile(r"\s+# refused$")
ANY, ANY_TEXT, ANY_LINES = "…", "[^\\n]*", "(?:[^\\n]*\\n)*"


@dataclass
class Command:
    """One line of a guide, and what it says is printed."""

    machine: str
    words: str
    line: int
    printed: list[str] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Whether it is to fail."""
        return REFUSED.search(self.words) is not None


def commands(page: Path) -> Iterator[Command]:
    """The commands of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        command = None
        begins = text.count("\n", 0, block.start("text")) + 1
        for number, line in enumerate(block["text"].splitlines()):
            if line.startswith("$ "):
                if command is not None:
                    yield command
                command = Command(block["machine"], line[2:], begins + number)
            elif command is not None:
                command.printed.append(line)
        if command is not None:
            yield command


def files(page: Path) -> Iterator[tuple[str, str, str]]:
    """The files a page shows: whose, the path, the text."""
    for block in FILE.finditer(page.read_text(encoding="utf-8")):
        yield block["machine"], block["path"], block["text"]


def unplayed(page: Path) -> int:
    """How many blocks of the page nobody runs."""
    text = page.read_text(encoding="utf-8")
    return text.count("```console") - len(BLOCK.findall(text))


def real_words(text: str, names: Mapping[str, str]) -> str:
    """A text of the page with the real addresses in it."""
    for name, real in names.items():
        text = text.replace(name, real)
    return text


class Shell:
    """One machine's terminal: what is defined or changed stays for the next command. `names` are the page's words for real addresses."""

    def __init__(self, folder: Path, env: Mapping[str, str], names: Mapping[str, str]) -> None:
        self._names = names
        self._child = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder, env=dict(env), text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, words: str) -> tuple[int, str]:
        """One command; its exit code and what it printed, in the page's words."""
        words = real_words(words, self._names)
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{{ {words}\n}} </dev/null\nprintf '\\n[ended %s]\\n' $?\n")
        self._child.stdin.flush()
        said = ""
        while (end := re.search(r"\n\[ended (\d+)\]\n\Z", said)) is None:
            line = self._child.stdout.readline()
            assert line, f"the shell ended: {said}"
            said += line
        said = said[: end.start()]
        for name, real in self._names.items():
            said = said.replace(real, name)
        return int(end[1]), said

    def close(self) -> None:
        """End it."""
        self._child.kill()
        self._child.communicate()


def play(command: Command, shell: Shell) -> None:
    """Run it and compare."""
    code, said = shell.run(REFUSED.sub("", command.words))
    place = f"line {command.line}: $ {command.words}"
    assert (code != 0) == command.is_refused, f"{place}\nended with {code}:\n{said}"
    assert prints(command.printed, said), f"{place}\nwas to print:\n" + "\n".join(command.printed) + f"\nbut said:\n{said}"


def prints(wanted: list[str], said: str) -> bool:
    """Whether that is what was printed, line by line; blank lines do not count, and a page that shows nothing asks for nothing."""
    pieces = [
        ANY_LINES if line.strip() == ANY else ANY_TEXT.join(re.escape(part) for part in line.rstrip().split(ANY)) + "\n"
        for line in wanted
        if line.strip()
    ]
    plain = "".join(f"{line.rstrip()}\n" for line in said.splitlines() if line.strip())
    return not pieces or re.fullmatch("".join(pieces), plain) is not None
