"""The second factor from the key to the day it is lost, and what the password is good for meanwhile."""

import re
import time
from base64 import b64encode
from collections.abc import Callable
from html import unescape

import pyotp
import pytest
from django.core.cache import cache
from django.test import Client

from tests.web.addresses import text
from tests.web.conftest import HTML, PASSWORD, World
from tokens.models import RecoveryCode, SecondFactor
from workspaces.models import Event, User

PAGE = "/account/second-factor/"


@pytest.fixture
def factor(alice: Client) -> tuple[pyotp.TOTP, list[str]]:
    """alice's authenticator, and her recovery codes."""
    cache.clear()
    key = re.search(r"<code class=\"breakable\">([A-Z2-7 ]+)</code>", text(alice, PAGE))
    assert key is not None
    totp = pyotp.TOTP(key[1].replace(" ", ""))
    assert alice.post(PAGE, {"code": "000000"}).status_code == 400, "a wrong code turns nothing on, and the key stays"
    answer = alice.post(PAGE, {"code": totp.now()})
    assert answer.status_code == 201
    codes = re.findall(r"\b[a-z2-9]{5}-[a-z2-9]{5}\b", unescape(answer.content.decode()))
    assert len(set(codes)) == 10
    SecondFactor.objects.update(last_step=0)  # the next test need not wait half a minute
    return totp, sorted(set(codes))


def password_step() -> Client:
    client = Client(headers={"accept": HTML})
    answer = client.post("/login", {"username": "alice", "password": PASSWORD, "next": "/acme/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/code")
    assert client.get("/acme/").status_code == 302, "half-way in is not in"
    return client


def test_a_code_is_asked_for_and_good_once(factor: tuple[pyotp.TOTP, list[str]]) -> None:
    totp, _codes = factor
    code = totp.now()
    client = password_step()
    assert client.post("/login/code", {"code": "123"}).status_code == 400
    answer = client.post("/login/code", {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/acme/")
    assert client.get("/acme/").status_code == 200
    again = password_step().post("/login/code", {"code": code})
    assert (again.status_code, "was used" in again.content.decode()) == (400, True)
    old = totp.at(int(time.time()) - 120)
    assert password_step().post("/login/code", {"code": old}).status_code == 400
    assert Event.objects.filter(action="session.opened", new__by="password and code").count() == 1


def test_a_recovery_code_signs_in_once(factor: tuple[pyotp.TOTP, list[str]]) -> None:
    _totp, codes = factor
    client = password_step()
    assert client.post("/login/code", {"code": codes[0].upper()}, follow=True).content.decode().count("9 are left") == 1
    assert password_step().post("/login/code", {"code": codes[0]}).status_code == 400
    assert RecoveryCode.objects.count() == 9
    assert not RecoveryCode.objects.filter(digest__in=codes).exists(), "digests only"
    assert client.post(f"{PAGE}codes/").status_code == 201
    assert password_step().post("/login/code", {"code": codes[1]}).status_code == 400, "the old ones are over"


def test_wrong_codes_are_throttled(factor: tuple[pyotp.TOTP, list[str]]) -> None:
    client = password_step()
    seen = [client.post("/login/code", {"code": "000000"}).status_code for _ in range(12)]
    assert (seen[0], seen[-1]) == (400, 429)
    assert client.post("/login/code", {"code": factor[0].now()}).headers["Retry-After"]


def test_the_password_works_in_the_browser_only(factor: tuple[pyotp.TOTP, list[str]]) -> None:
    basic = f"Basic {b64encode(f'alice:{PASSWORD}'.encode()).decode()}"
    for address in ("/api/v1/whoami/", "/acme/r/main/-/whoami"):
        answer = Client().get(address, headers={"authorization": basic})
        assert (answer.status_code, b"second factor" in answer.content) == (401, True), address
    body = {"name": "alice", "password": PASSWORD}
    legacy = Client().put("/acme/r/main/-/user/org.couchdb.user:alice", body, content_type="application/json")
    assert (legacy.status_code, "one-time pass" in legacy.content.decode()) == (401, False)


def test_turning_it_off_takes_a_code(factor: tuple[pyotp.TOTP, list[str]], alice: Client) -> None:
    assert alice.post(f"{PAGE}off/", {"code": "000000"}).status_code == 400
    assert alice.post(f"{PAGE}off/", {"code": factor[0].now()}).status_code == 302
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    client = Client()
    assert client.post("/login", {"username": "alice", "password": PASSWORD, "next": "/"}).headers["Location"] == "/"


def test_a_login_password_is_good_once_and_here(sign_in: Callable[[str], Client], world: World) -> None:
    cache.clear()
    answer = sign_in("bob").post("/acme/registries/main/login-password/")
    secret = re.search(r"gtl_[\w-]+", answer.content.decode())
    assert secret is not None
    body = {"name": "bob", "password": secret[0]}

    def login(who: str, registry: str = "main") -> int:
        address = f"/acme/r/{registry}/-/user/org.couchdb.user:{who}"
        return Client().put(address, {**body, "name": who}, content_type="application/json").status_code

    assert [login("alice"), login("bob", "other"), login("bob"), login("bob")] == [401, 401, 201, 401]
    basic = f"Basic {b64encode(f'bob:{secret[0]}'.encode()).decode()}"
    assert Client().get("/api/v1/whoami/", headers={"authorization": basic}).status_code == 401, "it opens nothing else"


def test_an_operator_helps_who_lost_everything(factor: tuple[pyotp.TOTP, list[str]], sign_in: Callable[[str], Client]) -> None:
    User.objects.filter(username="bob").update(is_superuser=True, is_staff=True)
    alice = User.objects.get(username="alice")
    sent = {"action": "turn_second_factor_off", "_selected_action": [alice.pk, User.objects.get(username="rita").pk]}
    said = sign_in("bob").post("/admin/workspaces/user/", sent, follow=True).content.decode()
    assert ("The second factor of alice is off." in said, "There was none of rita." in said) == (True, True)
    assert (SecondFactor.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    assert Event.objects.filter(action="second_factor.off").get().actor == "bob"


def test_a_key_that_cannot_be_read_leaves_the_recovery_codes(factor: tuple[pyotp.TOTP, list[str]]) -> None:
    SecondFactor.objects.update(key_sealed=b"sealed under another password")
    client = password_step()
    assert client.post("/login/code", {"code": factor[0].now()}).status_code == 400
    assert client.post("/login/code", {"code": factor[1][0]}).status_code == 302
