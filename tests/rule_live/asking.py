"""Every way a client can ask for a name, and the proof that the recorder would have noticed."""

import json

from tests.parts.gate import Place
from tests.parts.recorder import ABBREVIATED, Recorder
from tests.parts.web_client import Answer, Caller


def proven(place: Place, recorder: Recorder, name: str = "plainly-public") -> dict[str, object]:
    """Add the recorder as an upstream and show that a public name does arrive there; then start a new page."""
    recorder.add(name)
    made = place.upstream(recorder)
    answer = place.as_("rita").get(f"/{name}")
    assert answer.status == 200, answer
    assert recorder.asked(name), "the recorder sees nothing at all: this test would prove nothing"
    recorder.forget()
    return made


def spellings(name: str) -> list[str]:
    """The same canonical name as different clients write it."""
    forms = [name, name.replace("/", "%2f"), name.replace("/", "%2F"), name.upper(), name.title().replace("/", "%2f")]
    forms += [name.replace("@", "%40").replace("/", "%2f"), f"%{ord(name[-1]):x}".join([name[:-1], ""])]
    return list(dict.fromkeys(forms))


def ask_in_every_way(caller: Caller, name: str, version: str = "1.0.0", *, forms: int = 99) -> dict[str, Answer]:
    """All reading requests about a name, in its first `forms` spellings; the answers by what was asked."""
    answers: dict[str, Answer] = {}
    bare = name.rpartition("/")[2]
    for form in spellings(name)[:forms]:
        paths = [f"/{form}", f"/{form}/{version}", f"/{form}/latest", f"/{form}/9.9.9", f"/{form}?write=true"]
        paths += [f"/{form}/-/{bare}-{version}.tgz", f"/{form}/-/{bare}-9.9.9.tgz", f"/-/package/{form}/dist-tags"]
        paths += [f"/-/npm/v1/attestations/{form}@{version}"]
        paths += [f"/-/package/{form}/{part}" for part in ("visibility", "access", "collaborators")]
        for path in paths:
            answers[f"GET {path}"] = caller.request("GET", path)
        answers[f"GET slim /{form}"] = caller.request("GET", f"/{form}", headers={"accept": ABBREVIATED})
        answers[f"HEAD /{form}"] = caller.request("HEAD", f"/{form}")
        answers[f"HEAD tgz /{form}"] = caller.request("HEAD", f"/{form}/-/{bare}-{version}.tgz")
    answers["search"] = caller.request("GET", f"/-/v1/search?text={bare}&size=20")
    body = json.dumps({name: [version]}).encode()
    for path in ("/-/npm/v1/security/advisories/bulk", "/-/npm/v1/security/audits/quick"):
        answers[path] = caller.request("POST", path, body=body, headers={"content-type": "application/json"})
    for asked, answer in answers.items():
        assert answer.status in {200, 304, 400, 404, 405, 501}, f"{asked}: {answer}"
        assert "Traceback" not in answer.text, asked
    return answers


def assert_never_asked(place: Place, recorder: Recorder, name: str, *, who: tuple[str, ...] = ("rita", "bob")) -> dict[str, Answer]:
    """Ask for `name` in every way; nothing of it may arrive at the recorder."""
    answers: dict[str, Answer] = {}
    for number, one in enumerate(who):  # the first asks in all spellings, the others in the usual two
        answers = ask_in_every_way(place.as_(one), name, forms=2 if number else 99)
    leaked = recorder.mentions(name.rpartition("/")[2])
    assert not leaked, f"{name} reached the public upstream: {[(seen.method, seen.path) for seen in leaked]}"
    return answers
