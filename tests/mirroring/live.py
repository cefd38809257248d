"""A place of a live Gatehouse with an upstream to be mirrored, over REST."""

import time
from typing import Any

from tests.parts.gate import Place
from tests.parts.recorder import Recorder

OVER = ("done", "failed", "cancelled")


class Live:
    """Orders over REST, and what became of them."""

    def __init__(self, place: Place, recorder: Recorder, **fields: Any) -> None:
        self.place, self.upstream = place, place.upstream(recorder, **fields)

    def order(self, *patterns: str, who: str = "bob", expect: int = 202, **fields: Any) -> Any:
        """The job, or the refusal."""
        answer = self.place.api(who).post(self.place.rest + "mirrors/", {"upstream": "public", "patterns": list(patterns), **fields})
        assert answer.status == expect, answer
        return answer.json()

    def read(self, job: Any) -> Any:
        """How it stands."""
        answer = self.place.api("rita").get(f"{self.place.rest}mirrors/{job['id']}/")
        assert answer.status == 200, answer
        return answer.json()

    def act(self, job: Any, word: str, *, expect: int = 202) -> Any:
        """cancel or retry."""
        answer = self.place.api("bob").post(f"{self.place.rest}mirrors/{job['id']}/{word}/", {})
        assert answer.status == expect, answer
        return answer.json()

    def over(self, job: Any, *, seconds: float = 60) -> Any:
        """The job once it is over."""
        return self.until(job, lambda told: told["state"] in OVER, seconds=seconds)

    def until(self, job: Any, is_so: Any, *, seconds: float = 60) -> Any:
        """The job once something is so."""
        deadline = time.monotonic() + seconds
        while not is_so(told := self.read(job)):
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        return told


def tarballs(recorder: Recorder) -> list[str]:
    """What was downloaded, in order."""
    return [one.path for one in list(recorder.seen) if one.is_tarball]
