"""`manage.py mirror {workspace}/{registry} -s {upstream} "private-org/*"`: a mirror job in the foreground.

Whoever may run it is an operator of the installation, so upstreams that an operator saved may name any variable of the shell.
Exit 0 only if nothing failed.
"""

import os
import signal
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registries.models import Registry
from upstreams.management.shell import known, registry_at, upstream_at
from upstreams.models import Mirror, Upstream
from upstreams.services.mirroring.drivers import Options, Wanted
from upstreams.services.mirroring.hold import OPEN, beat, new_worker
from upstreams.services.mirroring.lists import LENGTH, wanted_by_lock, wanted_by_names
from upstreams.services.mirroring.orders import MirrorOver, Order, cancel, mirror_of, order, retry
from upstreams.services.mirroring.progress import Bar, Lines, Silent, summary
from upstreams.services.mirroring.report import errors_of, left_out_of
from upstreams.services.mirroring.work import work
from upstreams.variables import shell_variables
from workspaces.access import Actor
from workspaces.errors import GatehouseError

OPERATOR = Actor(name="operator", is_operator=True)
LISTED = 20  # jobs
WAIT = 0.5  # seconds between two tries to have a turn
WITHOUT_END = 10.0**9  # seconds
ORDERS: dict[str, object] = {  # what an order is made of, and each without a word said
    "upstream": None,
    "patterns": [],
    "dependencies": False,
    "versions": "",
    "lock_file": None,
    "names_from": None,
    "full": False,
    "strict": False,
}


class Command(BaseCommand):
    """Orders a job, works on it until it is over, and tells what failed and why."""

    help = "Bring packages of an upstream into a registry: all that meet patterns, some names, or what a lock file lists."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Patterns may stand before and after the switches."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The registry, what to mirror, and how."""
        parser.add_argument("registry", metavar="WORKSPACE/REGISTRY")
        parser.add_argument("patterns", nargs="*", help="globs, names, or names with a version or range: '@acme/*' left-pad react@^18")
        parser.add_argument("-s", "--upstream", "--source", dest="upstream", help="the upstream to mirror from")
        parser.add_argument("--dependencies", action="store_true", help="also what the versions depend on, as a client would choose it")
        parser.add_argument("--versions", default="", metavar="RANGE", help="only versions within a range, or the one of a tag")
        parser.add_argument("--lock-file", metavar="FILE", help="what a lock file lists: npm's, pnpm's or yarn's")
        parser.add_argument("--names-from", metavar="FILE", help="names, a line each; - is the standard input")
        parser.add_argument("--full", action="store_true", help="look again at what is held: fetch bytes that are missing")
        parser.add_argument("--strict", action="store_true", help="stop at the first failure")
        parser.add_argument("-q", "--quiet", action="store_true", help="only tell what failed")
        parser.add_argument("--retry", type=int, metavar="JOB", help="bring what that job failed at or did not come to, as it was ordered")
        parser.add_argument("--list", action="store_true", help="list the last jobs of the registry, with their numbers, instead")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Run; whatever is refused is one line, and the exit code 1."""
        try:
            with shell_variables():
                registry = registry_at(options["registry"])
                code = self._list(registry) if options["list"] else self._mirror(registry, options)
        except GatehouseError as error:
            raise CommandError(error.message) from None
        if code:
            sys.stdout.flush()
            os._exit(code)  # downloads that were given up would hold the process

    def _mirror(self, registry: Registry, options: dict[str, Any]) -> int:
        if options["retry"] is not None:
            return self._retry(registry, options)
        if not options["upstream"]:
            raise CommandError(f"Say which upstream of {registry} to mirror from, -s NAME: {known(registry)}.")
        upstream = upstream_at(registry, options["upstream"])
        wanted, listed = _wanted(upstream, options)
        words = {word: options[word] for word in ("dependencies", "versions", "full", "strict")}
        chosen = Options(**words, anywhere=bool(options["lock_file"]))
        worker = new_worker()
        wish = Order(patterns=options["patterns"], options=chosen, wanted=wanted, listed=listed, worker=worker)
        mirror = order(actor=OPERATOR, registry=registry, upstream=upstream, order=wish)
        return self._work(mirror, worker, quiet=options["quiet"])

    def _retry(self, registry: Registry, options: dict[str, Any]) -> int:
        """The rest of a former job."""
        if said := [word for word, plain in ORDERS.items() if options[word] != plain]:
            words = ", ".join(f"--{word.replace('_', '-')}" for word in said)
            raise CommandError(f"--retry does what was ordered then; leave out {words.replace('--patterns', 'the names')}.")
        worker = new_worker()
        mirror = retry(actor=OPERATOR, mirror=mirror_of(registry, options["retry"]), worker=worker)
        return self._work(mirror, worker, quiet=options["quiet"])

    def _work(self, mirror: Mirror, worker: str, *, quiet: bool) -> int:
        """Until it is over; Ctrl-C cancels the job, and what came in stays."""
        if not quiet:
            self.stdout.write(f"Job {mirror.pk}: from {mirror.upstream.name} into {mirror.registry}.")
        out = sys.stdout  # Django's wrapper adds an end to every write
        shown = Silent() if quiet else Bar(out) if out.isatty() else Lines(out)
        stop = _Stop(mirror)

        def tell() -> None:
            mirror.refresh_from_db()
            shown.show(mirror)
            stop.heed()

        begun = time.monotonic()
        with stop:
            while True:
                work(mirror.pk, seconds=WITHOUT_END, worker=worker, tell=tell)
                mirror.refresh_from_db()
                if mirror.state not in OPEN:
                    break
                shown.wait()
                stop.heed()
                beat(mirror.pk, worker)
                time.sleep(WAIT)
        shown.end()
        for sentence in errors_of(mirror):
            self.stderr.write(sentence)
        if not quiet:
            for kind in left_out_of(mirror):
                self.stdout.write(f"Left out: {kind.sentence()}")
            self.stdout.write(summary(mirror, time.monotonic() - begun))
        return {Mirror.State.DONE: 0, Mirror.State.CANCELLED: 130}.get(Mirror.State(mirror.state), 1)

    def _list(self, registry: Registry) -> int:
        found = list(Mirror.objects.filter(registry=registry).select_related("upstream")[:LISTED])
        if not found:
            self.stdout.write(f"{registry} has no mirror jobs.")
        for mirror in found:
            words = ", ".join(mirror.patterns[:3]) + (" …" if len(mirror.patterns) > len(mirror.patterns[:3]) else "")
            told = f"{mirror.pk:>6}  {mirror.created_at:%Y-%m-%d %H:%M}  {mirror.state:9}  {mirror.done}/{mirror.total}"
            self.stdout.write(f"{told}, {mirror.failed} failed  {mirror.upstream.name}: {words or mirror.listed}")
        return 0


class _Stop:
    """Ctrl-C and SIGTERM: the first cancels the job, the next one ends the process as usual."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror, self._is_told = mirror, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        self._before = {number: signal.signal(number, self._tell) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def heed(self) -> None:
        """Cancel, if it was told."""
        if self._is_told:
            with suppress(MirrorOver):
                cancel(actor=OPERATOR, mirror=self._mirror)

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        self._is_told = True
        signal.signal(number, self._before[number])


def _wanted(upstream: Upstream, options: dict[str, Any]) -> tuple[list[Wanted], str]:
    """What the files list, and a word for them."""
    wanted, listed = list[Wanted](), list[str]()
    if options["lock_file"]:
        found, word = wanted_by_lock(upstream, _read(options["lock_file"]), options["lock_file"])
        wanted, listed = wanted + found, [*listed, word]
    if options["names_from"]:
        found, word = wanted_by_names(upstream, _read(options["names_from"]), options["names_from"])
        wanted, listed = wanted + found, [*listed, word]
    return wanted, "; ".join(listed)


def _read(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read(LENGTH + 1)
        with Path(path).open("rb") as file:
            return file.read(LENGTH + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
