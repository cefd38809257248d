"""Lines of an ignore file as npm reads them (ignore-walk 8 with minimatch 10: matchBase, dot, nocase, flipNegate). Pure.

Lines of the same sense that follow each other become one regular expression: only the first that meets a path can
change anything. Expressions are linear in the path: what stands between two stars is taken where it is first found.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

LINE_LIMIT = 1000  # characters of a rule; longer ones are no rules
RULES_LIMIT = 2000  # rules of one file
ALTERNATIVES_LIMIT = 200  # what braces of one rule may come to
BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
CLASS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]")
ANY_FOLDERS = r"(?:[^/]+/)*"


class Asked(IntEnum):
    """What is asked of a path: as a file; as a folder that is named itself; as a folder in which something may be included."""

    FILE = 0
    NAMED = 1
    FOLDER = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in groups of one sense: whether it includes again, and the expression for each way of asking."""

    groups: tuple[tuple[bool, tuple[re.Pattern[str], ...]], ...]

    def judge(self, path: str, asked: Asked, *, included: bool) -> bool:
        """Whether `path` (relative to the rules' own folder) is included after these rules, given that it was or was not before."""
        for includes, sources in self.groups:
            if includes != included and sources[asked].fullmatch(path):
                included = includes
        return included


@lru_cache(maxsize=512)
def rules_of(lines: tuple[str, ...]) -> Rules:
    """The rules of these lines; comments and empty lines do not count."""
    groups: list[tuple[bool, tuple[list[str], ...]]] = []
    for includes, sources in _read(lines):
        if not groups or groups[-1][0] != includes:
            groups.append((includes, ([], [], [])))
        for kept, source in zip(groups[-1][1], sources, strict=True):
            kept.extend(source)
    return Rules(tuple((includes, tuple(_any(source) for source in sources)) for includes, sources in groups))


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of an ignore file that are rules."""
    stripped = (line.strip() for line in re.split(r"\r?\n", text))
    return tuple(line for line in stripped if line and not line.startswith("#"))[:RULES_LIMIT]


def _any(sources: Sequence[str]) -> re.Pattern[str]:
    """One expression for all; those that may stand in any folder share the way there."""
    anywhere = [source.removeprefix(ANY_FOLDERS) for source in sources if source.startswith(ANY_FOLDERS)]
    others = [source for source in sources if not source.startswith(ANY_FOLDERS)]
    together = [f"{ANY_FOLDERS}(?:{'|'.join(dict.fromkeys(anywhere))})"] if anywhere else []
    return re.compile("|".join((*together, *dict.fromkeys(others))) or r"(?!)", re.IGNORECASE | re.DOTALL)


def _read(lines: Iterable[str]) -> Iterator[tuple[bool, tuple[list[str], ...]]]:
    for line in lines:
        if len(line) > LINE_LIMIT:
            continue
        plain = line.lstrip("!")
        includes = (len(line) - len(plain)) % 2 == 1
        sources: tuple[list[str], ...] = ([], [], [])
        for alternative in _expanded(plain):
            for kept, source in zip(sources, _sources(alternative, includes=includes), strict=True):
                kept.extend(source)
        yield includes, sources


def _expanded(pattern: str) -> list[str]:
    """The patterns that braces stand for."""
    done: list[str] = []
    waiting = [pattern]
    while waiting and len(done) + len(waiting) <= ALTERNATIVES_LIMIT:
        one = waiting.pop()
        found = BRACES.search(one)
        if found is None:
            done.append(one)
        else:
            waiting += [one[: found.start()] + part + one[found.end() :] for part in found[1].split(",")]
    return done


def _sources(pattern: str, *, includes: bool) -> tuple[list[str], list[str], list[str]]:
    """What a pattern says of files, of folders named themselves, and of folders in which something may be included."""
    parts = _parts(pattern)
    is_rooted = len(parts) > 1 and parts[0] == ""
    only_folders = len(parts) > 1 and parts[-1] == ""
    parts = parts[is_rooted : len(parts) - only_folders]
    if not parts:
        return [], [], []
    anywhere = ANY_FOLDERS if len(parts) == 1 and not is_rooted else ""
    source = anywhere + _path(parts)
    named = [source, _path(parts[:-1])] if parts[-1] == "**" and len(parts) > 1 else [source]  # `a/**` is about the folder `a` too
    return [] if only_folders else [source], named, named + (_ways_to(parts) if includes else [])


def _ways_to(parts: list[str]) -> list[str]:
    """The folders on the way to what a pattern means."""
    if "**" in parts[:-1]:
        parts = [*parts[: parts.index("**") + 1], ""]
    return [_path(parts[:length]) for length in range(1, len(parts))]


def _parts(pattern: str) -> list[str]:
    """The pattern between its slashes; `x/..` is nothing, and `**/**` is `**`."""
    parts: list[str] = []
    for part in re.split(r"/+", pattern):
        if part == ".." and parts and parts[-1] not in {"", "..", ".", "**"}:
            parts.pop()
        elif part != "**" or parts[-1:] != ["**"]:
            parts.append(part)
    return parts


def _path(parts: list[str]) -> str:
    """An expression for a whole path; between two `**` the first place that fits is the one."""
    first, *rest = _split(parts)
    source = "/".join(_segment(part) for part in first)
    if not rest:
        return source
    *middle, last = rest
    if not first and not last and len(middle) == 1:  # `**/name/**`, the most common
        return f"{ANY_FOLDERS}{'/'.join(_segment(part) for part in middle[0])}/.*"
    source += "/" if first else ""
    source += "".join(f"(?>{ANY_FOLDERS[:-1]}*?{'/'.join(_segment(part) for part in group)}/)" for group in middle)
    return source + (ANY_FOLDERS + "/".join(_segment(part) for part in last) if last else ".*")


def _split(parts: list[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for part in parts:
        if part == "**":
            groups.append([])
        else:
            groups[-1].append(part)
    return groups


def _segment(part: str) -> str:
    """An expression for one name; a star in it stands for what comes before the first place where the rest fits."""
    first, *rest = _between_stars(part)
    if not rest:
        return first
    *middle, last = rest
    stars = "".join(f"(?>[^/]*?{piece})" for piece in middle if piece) + f"[^/]*{last}"
    return f"{first}{stars}" if first or last or any(middle) else "[^/]+"


def _between_stars(part: str) -> list[str]:
    pieces = [""]
    at = 0
    while at < len(part):
        char = part[at]
        found = CLASS.match(part, at) if char == "[" else None
        if char == "*":
            pieces.append("")
        elif found is not None:
            pieces[-1] += _class(found)
            at = found.end() - 1
        elif char == "\\" and at + 1 < len(part):
            at += 1
            pieces[-1] += re.escape(part[at])
        else:
            pieces[-1] += "[^/]" if char == "?" else re.escape(char)
        at += 1
    return pieces


def _class(found: re.Match[str]) -> str:
    """A set of characters; one that is no set stands for itself."""
    inside = re.sub(r"([\\\[&|~])", r"\\\1", found[2])
    source = f"[{'^/' if found[1] else ''}{inside}]"
    try:
        re.compile(source)
    except re.error:
        return re.escape(found[0])
    return source
