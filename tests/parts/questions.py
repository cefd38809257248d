"""What the recorder answers to questions that are not about one package: searches and audits, as a public registry does."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.parts.recorder import Recorder, Seen


def search(recorder: "Recorder", seen: "Seen") -> dict[str, Any] | None:
    """The offered packages whose name holds the first word of the text, by name; None: it has no search."""
    if not recorder.searches:
        return None
    asked = {key: values[-1] for key, values in parse_qs(urlsplit(seen.path).query).items()}
    word = (asked.get("text", "").split() or [""])[0].lower()
    names = sorted(name for name in recorder.offers if word in name.lower())
    start, size = int(asked.get("from", 0)), int(asked.get("size", 20))
    return {"objects": [_object(recorder, name) for name in names[start : start + size]], "total": len(names), "time": "now"}


def audit(recorder: "Recorder", seen: "Seen") -> dict[str, Any] | None:
    """The advisories it knows, in the form asked for; None: it does not answer that form."""
    form = "bulk" if seen.path.endswith("/bulk") else "quick"
    if form not in recorder.audits:
        return None
    body = json.loads(seen.body)
    if form == "bulk":
        return {name: recorder.advisories[name] for name in body if name in recorder.advisories}
    told = [{**one, "module_name": name} for name in body["dependencies"] for one in recorder.advisories.get(name, ())]
    return {"actions": [], "advisories": {str(one["id"]): one for one in told}, "muted": [], "metadata": {}}


def _object(recorder: "Recorder", name: str) -> dict[str, Any]:
    offer = recorder.offers[name]
    version = offer.tags.get("latest") or next(iter(offer.versions))
    person = {"username": "outsider", "email": "outsider@example.org"}
    package: dict[str, Any] = {
        "name": name,
        "version": version,
        "description": f"{name} from outside",
        "keywords": ["outside"],
        "date": offer.times[version],
    }
    package |= {"maintainers": [person], "publisher": person, "links": {"homepage": "https://registry.example.org"}}
    return {"package": package, "score": {"final": 1, "detail": {}}, "searchScore": 1}
