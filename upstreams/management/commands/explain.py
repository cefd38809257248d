"""`manage.py explain {workspace}/{registry} {name}`: which sources may answer for a name, and why."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from upstreams.management.shell import registry_at
from upstreams.services.explain import explain
from workspaces.errors import GatehouseError

SHOWN = 10  # versions that are listed
FORMATS = ("npm", "moonbit")
OUTCOMES = {  # of a decision that somebody who cannot answer has a part in, what an install gets
    "answer": "an install gets what the others have",
    "unavailable": "an install gets 503",
    "absent": "an install gets 404",
    "ask": "an install would ask it again",
}


class Command(BaseCommand):
    """Prints the trace of the rule; asks nobody unless told to."""

    help = "Tell which sources may answer for a package name in a registry, and by which clause of the rule."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The registry, the name, and two switches."""
        parser.add_argument("registry", help="workspace/registry")
        parser.add_argument("name", help="the name: @acme/http or left-pad of npm, acme/core of MoonBit")
        parser.add_argument(
            "--format", choices=FORMATS, help="without it, what the name looks like: acme/core is a MoonBit module, all else npm"
        )
        parser.add_argument("--ask", action="store_true", help="ask upstreams as an install would, instead of using what they said last")
        parser.add_argument("--json", action="store_true", help="print the trace as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        """Run."""
        registry = registry_at(options["registry"])
        try:
            trace = explain(registry, options["format"] or _looks_like(options["name"]), options["name"], ask=options["ask"])
        except GatehouseError as error:
            raise CommandError(error.message) from None
        self.stdout.write(json.dumps(trace, indent=2) if options["json"] else "\n".join(_lines(trace)))


def _looks_like(name: str) -> str:
    """Names of npm have a slash only behind a scope."""
    return "moonbit" if "/" in name and not name.startswith("@") else "npm"


def _trouble(met: dict[str, Any]) -> str:
    again = f"not before {met['asked_again_at'][:19]}" if met["asked_again_at"] else "at the next question"
    return f"The last question failed, {met['at'][:19]}: {met['sentence']} It is asked again {again}."


def _lines(trace: dict[str, Any]) -> list[str]:
    verdict = {True: "internal", False: "public", None: "not decided yet"}[trace["internal"]]
    blocked = [f"  blocked by {trace['blocked_by']}: {OUTCOMES[trace['outcome']]}"] if trace["blocked_by"] else []
    lines = [f"{trace['name']}: {verdict}", f"  {trace['clause']}", *blocked, "", "Sources in order:"]
    for source in trace["sources"]:
        earlier = source["earlier"]
        when = f", as of {source['fetched_at'][:19]}" if source["fetched_at"] else ""
        when += f" (said “{earlier['answer']}” earlier, {earlier['fetched_at'][:19]})" if earlier else ""
        place = " > ".join([*source["through"], source["source"]])
        lines.append(f"  {'→' if source['allowed'] else '·'} {place} ({source['kind']}): {source['clause']}{when}")
        lines += [f"      {source['detail']}"] if source["detail"] else []
        lines += [f"      {_trouble(source['last_trouble'])}"] if source["last_trouble"] and not source["detail"] else []
    versions = trace["versions"]
    if versions:
        lines += ["", f"Versions ({len(versions)}):" if len(versions) <= SHOWN else f"Versions ({len(versions)}), the highest {SHOWN}:"]
        lines += [f"  {version} from {source}" for version, source in list(reversed(versions.items()))[:SHOWN]]
    if trace["shadowed"]:
        lines += ["", "Shadowed (pulled from outside earlier, hidden now): " + ", ".join(trace["shadowed"])]
    return lines
