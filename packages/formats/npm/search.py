"""What a package is found by, and what people may ask: npm's search as words and weights. Pure.

Text and qualifiers as npm's public registry documents them for `GET /-/v1/search` (REGISTRY-API, "search"):
`keywords:a,b` (one of), `a+b` (all), `,-c` (without), `scope:`, `author:`, `maintainer:`, `is:`/`not:` with
`deprecated`, `unstable`, `insecure`, and `boost-exact:false`. Anything else is words, each of which must begin
a word of the package.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from packages.formats.errors import QueryInvalid
from packages.formats.npm.names import Name

TEXT, KEYWORD, SCOPE, AUTHOR, MAINTAINER = "t:", "k:", "s:", "a:", "m:"  # the kinds of words in one index
SCHEME = 1  # of the words; grows when they would be others for a package that stays as it is
NEEDS = "d:"  # a package it depends on; no question of npm's asks for it
WEIGHTS = {"name": 60, "keywords": 30, "scope": 20, "description": 10, "people": 5}
WORD = re.compile(r"[^\W_]+")
QUALIFIER = re.compile(r"(keywords|scope|author|maintainer|is|not|boost-exact):(.+)", re.DOTALL)
STOP = frozenset(
    ["a", "an", "and", "are", "as", "be", "by", "for", "from", "in", "is", "it", "of", "on", "or", "that", "the", "this", "to", "with"]
)
TEXT_LENGTH = 512  # characters a question may have
WORD_LENGTH = 64  # characters of a word that count
ASKED_WORDS = 10  # words of a question that count
DESCRIPTION_LENGTH, KEYWORDS, DESCRIBING_WORDS, PEOPLE, NEEDED = 500, 40, 60, 20, 200

NAME = 214  # characters of a package's name

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question, read. `groups`: of each at least one marked word must be there; `without`: none may be.

    `text`: as written, folded, for exact names; `boosts_exact`: whether such a hit comes first.
    """

    text: str = ""
    words: tuple[str, ...] = ()
    groups: tuple[frozenset[str], ...] = ()
    without: frozenset[str] = frozenset()
    is_deprecated: bool | None = None
    is_unstable: bool | None = None
    finds_nothing: bool = False
    boosts_exact: bool = True

    @property
    def is_everything(self) -> bool:
        """Nothing was asked: every package, by name."""
        return not self.text


def parse_query(text: str) -> Query:
    """Read a question. Raises QueryInvalid for one that is too long."""
    if len(text) > TEXT_LENGTH:
        raise QueryInvalid(f"A search has at most {TEXT_LENGTH} characters.", fields={"text": "length"})
    folded = fold(text).strip()
    parts = _Parts()
    for chunk in folded.split():
        found = QUALIFIER.fullmatch(chunk)
        if found is None:
            parts.words += words_of(chunk)
        else:
            parts.qualify(found[1], found[2])
    return parts.query(folded)


def fold(text: str) -> str:
    """The form words are compared in: Unicode NFKC, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words_of(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, cut to the length that counts."""
    return [word[:WORD_LENGTH] for word in WORD.findall(fold(text))]


class _Parts:
    """A question as it is being read."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.groups: list[frozenset[str]] = []
        self.without: set[str] = set()
        self.wanted: dict[str, bool] = {}
        self.boosts_exact = True

    def qualify(self, kind: str, value: str) -> None:
        """Take in one `kind:value`."""
        if kind == "keywords":
            self._keywords(value)
        elif kind in {"is", "not"}:
            self.wanted[value] = kind == "is"
        elif kind == "boost-exact":
            self.boosts_exact = value != "false"
        else:
            mark = {"scope": SCOPE, "author": AUTHOR, "maintainer": MAINTAINER}[kind]
            self.groups.append(frozenset({mark + value.removeprefix("@").removeprefix("=")[:WORD_LENGTH]}))

    def query(self, text: str) -> Query:
        """The question as a whole; words that every text has count only where there are no others."""
        telling = [word for word in self.words if word not in STOP] or self.words
        words = tuple(dict.fromkeys(telling))[:ASKED_WORDS]
        return Query(
            text=text,
            words=words,
            groups=tuple(self.groups[:ASKED_WORDS]),
            without=frozenset(sorted(self.without)[:ASKED_WORDS]),
            is_deprecated=self.wanted.get("deprecated"),
            is_unstable=self.wanted.get("unstable"),
            finds_nothing=self._finds_nothing(text, words),
            boosts_exact=self.boosts_exact,
        )

    def _finds_nothing(self, text: str, words: tuple[str, ...]) -> bool:
        """Signs alone have no word to be found by; and nothing is known here to be insecure."""
        return (bool(text) and not (words or self.groups or self.without or self.wanted)) or self.wanted.get("insecure", False)

    def _keywords(self, value: str) -> None:
        for part in value.split(","):
            if part.startswith("-"):
                self.without.add(KEYWORD + part[1:][:WORD_LENGTH])
        any_of = [part for part in value.split(",") if part and not part.startswith("-")]
        if len(any_of) == 1:  # a+b: all of them
            self.groups += [frozenset({KEYWORD + one[:WORD_LENGTH]}) for one in any_of[0].split("+") if one]
        elif any_of:
            self.groups.append(frozenset(KEYWORD + part[:WORD_LENGTH] for part in any_of))


@dataclass(frozen=True)
class Listed:
    """A package as search keeps it: the fields of npm's result but name, version and date, and its words with weights."""

    facts: dict[str, object]
    words: Mapping[str, int]


def list_package(name: Name, manifest: Manifest, maintainers: Iterable[str], publisher: str) -> Listed:
    """What search keeps of a package, from the manifest of its present version; `maintainers`: user names of our own."""
    keywords = _keywords_of(manifest)
    people = [{"username": one, "email": ""} for one in list(maintainers)[:PEOPLE]] or _people(manifest.get("maintainers"))
    author = _person(manifest.get("author"))
    facts: dict[str, object] = {
        "description": _text(manifest.get("description"), DESCRIPTION_LENGTH),
        "keywords": keywords,
        "license": _license(manifest),
        "links": _links(manifest),
        "maintainers": people,
        "publisher": {"username": publisher or (people[0]["username"] if people else ""), "email": ""},
    }
    if author:
        facts["author"] = {"name": author}
    return Listed(facts, dict.fromkeys(_needed(manifest), 0) | _words(name, facts, author))


def _needed(manifest: Manifest) -> list[str]:
    """What an install brings along: `dependencies` and `optionalDependencies`, as names in one index."""
    groups = [group for kind in ("dependencies", "optionalDependencies") if isinstance(group := manifest.get(kind), dict)]
    names = {one.lower() for group in groups for one in list(group)[:NEEDED] if isinstance(one, str) and len(one) <= NAME}
    return [NEEDS + one for one in sorted(names)][:NEEDED]


def _words(name: Name, facts: Mapping[str, Any], author: str) -> dict[str, int]:
    """Every word with the best weight it earns."""
    people = [one["username"] for one in facts["maintainers"]]
    marked = [(KEYWORD + fold(word)[:WORD_LENGTH], 0) for word in facts["keywords"]]
    marked += [(MAINTAINER + fold(one)[:WORD_LENGTH], 0) for one in people]
    marked += [(AUTHOR + fold(author)[:WORD_LENGTH], 0)] * bool(author) + [(SCOPE + fold(name.scope or "")[:WORD_LENGTH], 0)] * bool(
        name.scope
    )
    bare = words_of(name.bare)
    texts = [
        ("people", [word for one in [*people, author] for word in words_of(one)]),
        ("description", [word for word in dict.fromkeys(words_of(facts["description"])) if word not in STOP][:DESCRIBING_WORDS]),
        ("scope", words_of(name.scope or "")),
        ("keywords", [word for one in facts["keywords"] for word in words_of(one)]),
        ("name", [*bare, "".join(bare)[:WORD_LENGTH]]),
    ]
    return dict(marked) | {TEXT + word: WEIGHTS[kind] for kind, words in texts for word in words}


def _keywords_of(manifest: Manifest) -> list[str]:
    value = manifest.get("keywords")
    found = re.split(r"[,\s]+", value) if isinstance(value, str) else value if isinstance(value, list) else []
    return [_text(word, WORD_LENGTH) for word in found[:KEYWORDS] if isinstance(word, str) and word.strip()]


def _people(value: object) -> list[dict[str, str]]:
    """Maintainers as npm's search wants them; without any of the list, npm fails."""
    named = [_person(one) for one in (value if isinstance(value, list) else [])[:PEOPLE]]
    return [{"username": one, "email": ""} for one in named if one]


def _person(value: object) -> str:
    """A person's name: of `{name}`, or of `Name <mail> (address)`."""
    text = value.get("name") or value.get("username") if isinstance(value, dict) else value
    return re.split(r"[<(]", _text(text, 100), maxsplit=1)[0].strip()


def _license(manifest: Manifest) -> str:
    value = manifest.get("license")
    return _text(value.get("type") if isinstance(value, dict) else value, 100)


def _links(manifest: Manifest) -> dict[str, str]:
    """Addresses a person may follow: http and https only."""
    repository, bugs = manifest.get("repository"), manifest.get("bugs")
    found = {
        "homepage": manifest.get("homepage"),
        "repository": repository.get("url") if isinstance(repository, dict) else repository,
        "bugs": bugs.get("url") if isinstance(bugs, dict) else bugs,
    }
    texts = {key: _text(value, 500).removeprefix("git+") for key, value in found.items()}
    return {key: text for key, text in texts.items() if re.fullmatch(r"https?://[!-~]+", text)}


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""
