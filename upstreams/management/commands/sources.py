"""`manage.py sources …`: a registry's upstreams from the command line, and as a file.

Whoever may run it is an operator of the installation. Variables like `${UPSTREAM_TOKEN}` are kept as they are written.
"""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registries.models import Registry
from upstreams.management.shell import registry_at, upstream_at
from upstreams.models import Upstream
from upstreams.services.declared.applying import apply_sources
from upstreams.services.declared.differences import ADDED, CHANGED, SAME, Difference
from upstreams.services.declared.presets import PRESETS
from upstreams.services.declared.reading import SIZE_LIMIT, read_sources
from upstreams.services.declared.syncing import OPERATOR
from upstreams.services.declared.writing import written
from upstreams.services.leaving import belongings_of
from upstreams.services.probing import probe_upstream
from upstreams.services.sources import change_upstream, create_upstream, remove_upstream
from upstreams.services.wishes import UpstreamWish, kind_in_words
from upstreams.variables import shell_variables
from workspaces.errors import GatehouseError

DEFAULT = "team/main"
NAMED = {
    "enable": "ask it again",
    "disable": "never ask it",
    "remove": "remove it, with its mirror jobs and schedules; what it brought stays",
    "test": "ask whether it answers, and takes the credentials",
}
WIDE = (
    "note: {name} is internal without --patterns: every name that is asked for and that it has becomes internal, and stays so"
    " when it is switched off or removed (docs/upstreams.md, names that stay internal)."
)
Options = dict[str, Any]


class Command(BaseCommand):
    """One command for each thing to do; every one tells what it did in a line."""

    help = "List, add, change, test and remove the sources of a registry, or import and export them as registry.toml."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The words after `sources`."""
        words = parser.add_subparsers(
            dest="word", required=True, parser_class=ArgumentParser
        )  # not Django's own, which wants words of its own
        _say_import(words.add_parser("import", help="make the sources what a file says; all of it or nothing"))
        export = words.add_parser("export", help="write the sources as a file, without literal secrets")
        export.add_argument("file", nargs="?", default="-", help="where to; - is the terminal")
        _say_add(words.add_parser("add", help="add one source, from a preset"))
        words.add_parser("list", help="the sources in the order they are asked")
        for word, text in NAMED.items():
            words.add_parser(word, help=text).add_argument("name")
        for one in words.choices.values():
            one.add_argument("--registry", default=DEFAULT, metavar="WORKSPACE/REGISTRY", help=f"whose sources; {DEFAULT} without it")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Run; whatever is refused is one line, and the exit code 1."""
        words: dict[str, Callable[[Registry, Options], None]] = {
            "import": self._import,
            "export": self._export,
            "add": self._add,
            "list": self._list,
            "enable": self._enable,
            "disable": self._enable,
            "remove": self._remove,
            "test": self._test,
        }
        try:
            with shell_variables():
                words[options["word"]](registry_at(options["registry"]), options)
        except GatehouseError as error:
            raise CommandError(error.message) from None

    def _import(self, registry: Registry, options: Options) -> None:
        file = read_sources(_bytes(options["file"]), npm_url=settings.NPM_UPSTREAM_URL or "")
        found = apply_sources(actor=OPERATOR, registry=registry, file=file, dry_run=options["dry_run"])
        for note in file.notes:
            self.stdout.write(f"note: {note}")
        for difference in found:
            self.stdout.write("\n".join(_lines(difference, dry_run=options["dry_run"])))
        self.stdout.write(_summary(registry, found, dry_run=options["dry_run"]))

    def _export(self, registry: Registry, options: Options) -> None:
        text = written(registry)
        if options["file"] == "-":
            self.stdout.write(text, ending="")
        else:
            Path(options["file"]).write_text(text, encoding="utf-8")

    def _add(self, registry: Registry, options: Options) -> None:
        wish = _wish(options)
        create_upstream(actor=OPERATOR, registry=registry, wish=wish)
        self.stdout.write(f"{wish.name} was added to {registry}: {wish.url}, priority {wish.priority}.")
        if wish.internal and not wish.patterns:
            self.stdout.write(WIDE.format(name=wish.name))

    def _list(self, registry: Registry, options: Options) -> None:  # noqa: ARG002 - as its siblings
        rows = Upstream.objects.filter(registry=registry).select_related("source__workspace").order_by("priority", "id")
        if not rows:
            self.stdout.write(f"{registry} has no sources.")
        for row in rows:
            marks = ["" if row.is_enabled else "disabled", "internal" if row.is_internal else "", _auth(row), *row.patterns]
            where = f"{row.priority:>4}  {row.name:<24} {kind_in_words(row):<23} {row.url or row.source}"
            self.stdout.write(f"{where}  {' '.join(mark for mark in marks if mark)}".rstrip())

    def _enable(self, registry: Registry, options: Options) -> None:
        upstream, enabled = upstream_at(registry, options["name"], word="source"), options["word"] == "enable"
        if upstream.is_enabled != enabled:
            change_upstream(actor=OPERATOR, upstream=upstream, changes={"enabled": enabled})
        self.stdout.write(f"{upstream.name} is {'enabled' if enabled else 'disabled'}.")

    def _remove(self, registry: Registry, options: Options) -> None:
        upstream = upstream_at(registry, options["name"], word="source")
        belongings = belongings_of(upstream).as_text()
        remove_upstream(actor=OPERATOR, upstream=upstream)
        self.stdout.write(f"{upstream.name} is removed{f', with {belongings}' if belongings else ''}; what it brought stays.")

    def _test(self, registry: Registry, options: Options) -> None:
        verdict = probe_upstream(actor=OPERATOR, upstream=upstream_at(registry, options["name"], word="source"))
        told = f"{options['name']}: {verdict.sentence}" + (f"\n{verdict.hint}" if verdict.hint else "")
        if not verdict.ok and verdict.code != "upstream_unproven":
            raise CommandError(told)
        self.stdout.write(told)


def _say_import(parser: ArgumentParser) -> None:
    parser.add_argument("file", help="registry.toml; - is the standard input")
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def _say_add(parser: ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--from-preset", required=True, choices=sorted(PRESETS))
    parser.add_argument("--url", default="")
    parser.add_argument("--index-url", default="", help="MoonBit: the index; without it, /git/index below the url")
    parser.add_argument("--index-type", default="git", choices=["git", "http"])
    parser.add_argument("--pattern", default="", help="MoonBit: where packages are, like '${url}/user/${username}/${name}/${version}.zip'")
    parser.add_argument("--auth", default="none", choices=["none", "bearer", "basic"])
    parser.add_argument("--token", default="", help="for bearer; '${UPSTREAM_TOKEN}' names a variable, - is read from the standard input")
    parser.add_argument("--username", default="")
    parser.add_argument("--password", default="", help="for basic; as --token")
    parser.add_argument("--priority", type=int, help="0 to 1000, lower is asked first")
    parser.add_argument("--internal", action="store_true", help="what it has is ours: no public source is asked about it")
    parser.add_argument("--patterns", nargs="+", default=[], metavar="GLOB", help="only these names")
    parser.add_argument("--allow-push", action="store_true", help="admins may publish there with your ${UPSTREAM_…}, not only operators")
    parser.add_argument("--disabled", action="store_true")


def _wish(options: Options) -> UpstreamWish:
    """The preset with what was said beside it."""
    kind = options["from_preset"]
    preset = PRESETS[kind]
    if kind == "npm":
        preset = replace(preset, url=settings.NPM_UPSTREAM_URL or "")
    url = options["url"] or preset.url
    if not url:
        raise CommandError(f"--url: the preset {kind} needs the address of the registry.")
    given = {"bearer": options["token"], "basic": options["password"]}.get(options["auth"], "")
    secret = sys.stdin.readline().rstrip("\n") if given == "-" else given
    return UpstreamWish(
        name=options["name"],
        format=preset.format,
        url=url,
        index_url=options["index_url"] or ("" if options["url"] else preset.index_url),
        index_type=options["index_type"],
        package_url_pattern=options["pattern"] or ("" if options["url"] and kind == "mooncakes" else preset.package_url_pattern),
        priority=preset.priority if options["priority"] is None else options["priority"],
        enabled=not options["disabled"],
        internal=options["internal"],
        patterns=tuple(options["patterns"]),
        allow_push=options["allow_push"],
        auth_type=options["auth"],
        username=options["username"] if options["auth"] == "basic" else "",
        secret=secret or None,
    )


def _bytes(name: str) -> bytes:
    """The file, or one byte more than is read of it."""
    if name == "-":
        return sys.stdin.buffer.read(SIZE_LIMIT + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None


def _auth(row: Upstream) -> str:
    """How it is asked; a variable by its name, a secret never."""
    return "" if row.auth_type == Upstream.AuthType.NONE else f"{row.auth_type} {row.secret_shown or '(secret stored)'}"


def _lines(difference: Difference, *, dry_run: bool) -> list[str]:
    """What becomes of one source; of a new one what it is, of another what is new about it."""
    sign, is_new = {ADDED: "+", CHANGED: "~", SAME: "="}[difference.word], difference.word == ADDED
    word = f"would be {difference.word}" if dry_run and difference.word != SAME else difference.word
    lines = [f"{sign} {difference.name}: {word}"]
    lines += [
        f"    {line.field}: {_shown(line.new)}" if is_new else f"    {line.field}: {_shown(line.old)} -> {_shown(line.new)}"
        for line in difference.lines
    ]
    return lines + [f"  note: {note}" for note in difference.notes]


def _shown(value: object) -> str:
    """A value in a line of differences; nothing as nothing."""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "(none)"
    return (
        {True: "yes", False: "no", None: "(none)", "": "(none)"}.get(value, str(value))
        if isinstance(value, bool | str | None)
        else str(value)
    )


def _summary(registry: Registry, found: list[Difference], *, dry_run: bool) -> str:
    counts = Counter(one.word for one in found)
    if counts[SAME] == len(found):
        return f"Nothing changed: {registry} is what the file says already."
    told = ", ".join(f"{counts[word]} {word}" for word in (ADDED, CHANGED, SAME) if counts[word])
    return f"Dry run of {registry}: {told}; nothing was changed." if dry_run else f"{registry}: {told}."
