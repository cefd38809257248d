"""Tokens and logins across the two web processes of a live server (threats.md A3, A11, A14)."""

from collections import Counter

from tests.bad_input.test_races import at_once
from tests.parts.gate import Gate, Place, made
from tests.parts.gatehouse import PASSWORD
from tests.parts.pack import pack
from tests.parts.web_client import Caller, basic

ROUNDS = 12  # connections; the kernel spreads them over both processes


def everywhere(caller: Caller, place: Place, *, without: str = "") -> Counter[int]:
    """The statuses at metadata, a tarball, whoami and REST, asked on many connections of their own."""
    paths = ["/left", "/left/-/left-1.0.0.tgz", "/-/whoami"]
    rest = Caller(place.gate.url, caller.authorization)
    found: Counter[int] = Counter()
    for _ in range(ROUNDS):
        found.update(caller.get(path).status for path in paths)
        found[rest.get(place.rest).status] += 1
    return found


def test_what_ends_a_token_ends_it_on_the_next_request_of_every_process(place: Place, gate: Gate) -> None:
    """Warm in both processes: revoked over REST, by npm, expired; then the person disabled, password and all."""
    place.publish(pack("left"))
    owner = Caller(gate.url, f"Bearer {place.tokens['rita']}")
    for end in ("rest", "npm", "expiry"):
        token = made(owner.post("/api/v1/tokens/", {"name": end}))
        caller = Caller(gate.url + place.path, f"Bearer {token['token']}")
        assert set(everywhere(caller, place)) == {200}
        if end == "rest":
            assert owner.delete(f"/api/v1/tokens/{token['id']}/").status == 204
        elif end == "npm":
            assert place.as_("rita").delete(f"/-/npm/v1/tokens/token/{token['token']}").status == 204
        else:
            past = "2001-01-01 00:00:00+00:00" if gate.server.database_url else "2001-01-01 00:00:00"
            gate.execute("UPDATE tokens_token SET expires_at = ? WHERE id = ?", past, token["id"])
        with gate.unchanged():
            assert set(everywhere(caller, place)) == {401}, end


def test_a_disabled_person_is_out_of_every_process(place: Place, gate: Gate) -> None:
    name = f"zoe-{place.slug[-6:]}"
    token = gate.person(name)
    made(place.api().post(f"/api/v1/workspaces/{place.slug}/members/", {"username": name, "role": "owner"}))
    place.publish(pack("left"))
    callers = [Caller(gate.url + place.path, f"Bearer {token}"), Caller(gate.url + place.path, basic(name, PASSWORD))]
    for caller in callers:
        assert set(everywhere(caller, place)) == {200}
    gate.execute("UPDATE workspaces_user SET is_active = ? WHERE username = ?", False, name)
    assert set(everywhere(callers[0], place)) == {401}
    assert set(Counter(callers[1].get("/-/whoami").status for _ in range(6))) == {401}, "a remembered password is forgotten too"


def test_a_changed_password_is_forgotten_by_every_process(place: Place, gate: Gate) -> None:
    name = f"yves-{place.slug[-6:]}"
    token = gate.person(name)
    made(place.api().post(f"/api/v1/workspaces/{place.slug}/members/", {"username": name, "role": "reader"}))
    old, new = (Caller(gate.url + place.path, basic(name, word)) for word in (PASSWORD, "battery staple horse"))
    assert {old.get("/-/whoami").status for _ in range(ROUNDS)} == {200}
    change = {"password": {"old": PASSWORD, "new": "battery staple horse"}}
    assert Caller(gate.url + place.path, f"Bearer {token}").post("/-/npm/v1/user", change).status == 200
    assert {old.get("/-/whoami").status for _ in range(6)} == {401}
    assert {new.get("/-/whoami").status for _ in range(ROUNDS)} == {200}


def test_two_pollers_and_one_token(place: Place, gate: Gate) -> None:
    """An approved login is collected once, however many ask at the same moment in either process."""
    for _ in range(3):
        started = place.as_("").post("/-/v1/login", {}).json()
        page, poll = started["loginUrl"].rpartition("/")[2], started["doneUrl"].partition(place.path)[2]
        rita = "(SELECT id FROM workspaces_user WHERE username = 'rita')"
        gate.execute(f"UPDATE tokens_loginsession SET state = 'approved', user_id = {rita} WHERE page_id = ?", page)
        before = gate.execute("SELECT count(*) FROM tokens_token")[0][0]
        answers = at_once(8, lambda _, poll=poll: place.as_("").get(poll))  # type: ignore[misc]
        assert Counter(answer.status for answer in answers) == {200: 1, 404: 7}, [str(answer) for answer in answers]
        assert gate.execute("SELECT count(*) FROM tokens_token")[0][0] == before + 1
        secret = next(answer.json()["token"] for answer in answers if answer.status == 200)
        assert Caller(gate.url + place.path, f"Bearer {secret}").get("/-/whoami").json() == {"username": "rita"}


def test_what_a_proxy_would_say_is_believed_of_none(place: Place, gate: Gate) -> None:
    """No TRUSTED_PROXIES: the address, the host and the scheme are those of the connection, underscores and all."""
    headers = {
        "X-Forwarded-For": "10.0.0.1",
        "X_Forwarded_For": "10.0.0.1",
        "X-Real-IP": "10.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=10.0.0.1;host=evil.example;proto=https",
        "Remote_User": "alice",
        "Remote-User": "alice",
    }
    owner = Caller(gate.url, f"Bearer {place.tokens['rita']}")
    token = made(owner.post("/api/v1/tokens/", {"name": "inside", "cidrs": ["10.0.0.0/8"]}))["token"]
    with gate.unchanged():
        held = Caller(gate.url + place.path, f"Bearer {token}")
        assert held.request("GET", "/-/whoami", headers=headers).status == 401
        assert place.as_("").request("GET", "/-/whoami", headers=headers).status == 401
    started = place.as_("").request("POST", "/-/v1/login", body={}, headers=headers).json()
    assert started["doneUrl"].startswith(place.url)
    assert "evil" not in started["loginUrl"]
