"""`${NAME}` in credentials: who may name what, what it becomes, and that nobody is asked without a value (checks 3 to 7 of MoonBit)."""

import logging
from typing import Any

import pytest

from config.logs import Masked
from tests.npm.team import Team
from tests.parts.pack import pack
from tests.parts.recorder import Recorder
from tests.upstreams.naming import ROOT, VALUE, refused, secret, upstream
from upstreams.clients.http import basic
from upstreams.errors import UpstreamInvalid, VariableUnset, VariableUnusable
from upstreams.models import Upstream
from upstreams.seal import seal
from upstreams.services.clone import clone_registry
from upstreams.services.secrets import SecretInUse, remove_secret, replace_secret
from upstreams.services.sources import change_upstream, create_upstream
from upstreams.services.wishes import UpstreamWish
from upstreams.targets import credentials_of, target_of
from upstreams.variables import shell_variables
from workspaces.models import Event, Secret
from workspaces.services.secrets import secret_of

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("${PARTNER_TOKEN}", f"Bearer {VALUE}"),
        ("v1.${PARTNER_TOKEN}.${OTHER}-${PARTNER_TOKEN}", f"Bearer v1.{VALUE}.o-{VALUE}"),
        ("$PARTNER_TOKEN {OTHER} $", "Bearer $PARTNER_TOKEN {OTHER} $"),
        ("${RECURSIVE}", "Bearer ${PARTNER_TOKEN}"),
    ],
)
def test_a_bearer_is_expanded_once_everywhere(team: Team, recorder: Recorder, text: str, header: str) -> None:
    secret(team)
    secret(team, "OTHER", "o")
    secret(team, "RECURSIVE", "${PARTNER_TOKEN}")
    made = upstream(team, recorder, text)
    recorder.offer(pack("theirs"))
    assert team.send("rita", "GET", "/theirs").status_code == 200
    assert {one.headers["authorization"] for one in recorder.asked("theirs")} == {header}
    made.refresh_from_db()
    assert target_of(made).authorization == header
    assert VALUE not in repr(target_of(made)) + repr(credentials_of(made))


def test_basic_is_expanded_in_both_parts(team: Team, recorder: Recorder) -> None:
    secret(team)
    secret(team, "WHO", "ci-bot")
    made = upstream(team, recorder, "${PARTNER_TOKEN}!", auth_type="basic", username="${WHO}")
    assert target_of(made).authorization == basic("ci-bot", f"{VALUE}!")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "PATH", "HOME", "OAUTH_PASSWORD", "UPSTREAM_PARTNER", "NOWHERE", "partner"])
@pytest.mark.parametrize("field", ["secret", "username"])
def test_a_stranger_to_the_server_names_nothing_of_it(
    team: Team, recorder: Recorder, name: str, field: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}
    monkeypatch.setenv(name, VALUE)
    wish = {"username": f"${{{name}}}", "secret": "x"} if field == "username" else {"username": "u", "secret": f"x${{{name}}}"}
    error = refused(team, recorder, auth_type="basic", text="", **wish)
    assert error.fields.keys() == {field}
    assert name in error.message


@pytest.mark.parametrize("text", ["${", "${}", "a${B", "${A-B}", "${1A}", "${A:-default}", "${${A}}"])
def test_what_is_no_variable_is_refused(team: Team, recorder: Recorder, text: str) -> None:
    assert refused(team, recorder, text, actor=ROOT).fields.keys() == {"secret"}


def test_operators_name_the_servers_variables_and_no_others(
    team: Team, recorder: Recorder, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}
    monkeypatch.setenv("DATABASE_URL", VALUE)
    for name in ("DATABASE_URL", "SECRET_KEY", "PATH", "NOWHERE"):
        assert refused(team, recorder, f"${{{name}}}", actor=ROOT).fields.keys() == {"secret"}
    made = upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT)
    assert made.is_operators
    assert target_of(made).authorization == f"Bearer {VALUE}"
    secret(team)
    change_upstream(actor=ROOT, upstream=made, changes={"secret": "${PARTNER_TOKEN}${UPSTREAM_PARTNER}"})
    made.refresh_from_db()
    assert target_of(made).authorization == f"Bearer {VALUE}{VALUE}"


def test_an_unset_variable_asks_nobody_and_says_which(team: Team, recorder: Recorder, settings: Any) -> None:
    settings.UPSTREAM_VARIABLES = {}
    recorder.offer(pack("theirs"))
    made = upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT)
    answer = team.send("rita", "GET", "/theirs")
    assert answer.status_code == 502
    assert "${UPSTREAM_PARTNER}" in answer.content.decode()
    assert not recorder.seen
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": ""}
    with pytest.raises(VariableUnset) as found:
        target_of(made)
    assert found.value.code == "variable_unset"
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}
    assert team.send("rita", "GET", "/theirs").status_code == 200, "it is read at the moment of asking"


def test_who_misses_a_variable_is_told_where_it_was_looked_for(team: Team, recorder: Recorder, settings: Any) -> None:
    """By who saved the upstream and who asks: the same word is looked for in other places."""
    settings.UPSTREAM_VARIABLES = {}
    kept = secret(team, "LOST")
    made = upstream(team, recorder, "${LOST}")
    kept.delete()
    theirs = Upstream(registry=team.registry, name="ops", auth_type="bearer", is_operators=True, secret_sealed=seal("${LOST}"))
    environment = Upstream(
        registry=team.registry, name="ops", auth_type="bearer", is_operators=True, secret_sealed=seal("${UPSTREAM_LOST}")
    )
    secrets = "is not set among the secrets of the workspace"
    assert why_unset(made).endswith(f"{secrets}.")
    assert why_unset(theirs).endswith(f"{secrets}; of their environment web servers and workers read UPSTREAM_… alone.")
    assert why_unset(environment).endswith("is not set in the environment that this process began with.")
    with shell_variables():
        assert why_unset(made).endswith(f"{secrets}; this shell's environment counts where an operator saved the upstream.")
        assert why_unset(theirs).endswith("is not set in this shell's environment or among the secrets of the workspace.")
        assert why_unset(environment).endswith("is not set in this shell's environment.")
    made.delete()
    said = refused(team, recorder, "${NOWHERE}", actor=ROOT)
    assert "no secret NOWHERE; add it first, or set UPSTREAM_NOWHERE in the server's environment" in said.message


def why_unset(made: Upstream) -> str:
    with pytest.raises(VariableUnset) as found:
        credentials_of(made)
    return found.value.message


def test_an_internal_upstream_without_its_variable_closes_the_gate(
    team: Team, recorder: Recorder, other_recorder: Recorder, settings: Any
) -> None:
    settings.UPSTREAM_VARIABLES = {}
    other_recorder.add("@partner/api")
    upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT, internal=True, patterns=("@partner/*",), priority=1)
    create_upstream(actor=ROOT, registry=team.registry, wish=UpstreamWish(name="public", url=other_recorder.url))
    answer = team.send("rita", "GET", "/@partner%2fapi")
    assert answer.status_code == 503
    assert "${UPSTREAM_PARTNER}" in answer.content.decode()
    assert not recorder.seen
    assert not other_recorder.seen


@pytest.mark.parametrize("value", ["two\nlines", "tab\there", "nul\0"])
def test_a_value_no_header_carries_is_named_and_not_sent(team: Team, recorder: Recorder, settings: Any, value: str) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": value}
    made = upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT)
    with pytest.raises(VariableUnusable, match="UPSTREAM_PARTNER") as found:
        target_of(made)
    assert value not in found.value.message
    assert team.send("rita", "GET", "/theirs").status_code == 502
    assert not recorder.seen


def test_a_token_is_ascii_and_a_user_name_has_no_colon(team: Team, recorder: Recorder) -> None:
    secret(team, "WORD", "pässwörd")
    secret(team, "PAIR", "me:you")
    made = upstream(team, recorder, "${WORD}")
    with pytest.raises(VariableUnusable, match="WORD"):
        target_of(made)
    changed = change_upstream(actor=ROOT, upstream=made, changes={"auth_type": "basic", "username": "me"})
    assert target_of(changed).authorization == basic("me", "pässwörd")
    changed = change_upstream(actor=ROOT, upstream=made, changes={"username": "${PAIR}"})
    with pytest.raises(VariableUnusable, match="PAIR"):
        target_of(changed)
    with pytest.raises(UpstreamInvalid, match="ASCII"):
        change_upstream(actor=ROOT, upstream=made, changes={"auth_type": "bearer", "secret": "pässwörd"})


def test_variables_are_shown_and_literals_never(team: Team, recorder: Recorder) -> None:
    secret(team)
    made = upstream(team, recorder)
    assert made.secret_shown == "${PARTNER_TOKEN}"
    for text in ("prefix-${PARTNER_TOKEN}", "a literal secret"):
        assert change_upstream(actor=team.actor("alice"), upstream=made, changes={"secret": text}).secret_shown == ""
        event = Event.objects.order_by("pk").last()
        assert event is not None
        assert event.new["secret"] == "replaced"  # type: ignore[index]
    told = str(list(Event.objects.values_list("old", "new")))
    assert "${PARTNER_TOKEN}" in told
    assert not [word for word in (VALUE, "prefix-", "a literal") if word in told]
    change_upstream(actor=team.actor("alice"), upstream=made, changes={"auth_type": "none"})
    made.refresh_from_db()
    assert (made.secret_shown, bytes(made.secret_sealed)) == ("", b"")


def test_a_new_value_holds_from_the_next_request_on(team: Team, recorder: Recorder) -> None:
    stored = secret(team, value="the old one")
    recorder.demand("bearer", secret="the new one")
    recorder.offer(pack("theirs"))
    upstream(team, recorder)
    assert team.send("rita", "GET", "/theirs").status_code == 502
    replace_secret(actor=team.actor("alice"), secret=stored, value="the new one")
    assert team.send("rita", "GET", "/theirs").status_code == 200


def test_what_was_not_here_for_the_old_value_is_asked_for_anew(team: Team, recorder: Recorder) -> None:
    stored = secret(team)
    upstream(team, recorder)
    assert team.send("rita", "GET", "/theirs").status_code == 404
    recorder.offer(pack("theirs"))
    assert team.send("rita", "GET", "/theirs").status_code == 404, "believed for a minute"
    replace_secret(actor=team.actor("alice"), secret=stored, value="another value")
    assert team.send("rita", "GET", "/theirs").status_code == 200


@pytest.mark.parametrize("wish", [{}, {"text": "a-${PARTNER_TOKEN}"}, {"auth_type": "basic", "username": "${PARTNER_TOKEN}", "text": "x"}])
def test_a_secret_in_use_stays_and_says_whose(team: Team, recorder: Recorder, wish: dict[str, Any]) -> None:
    stored = secret(team)
    made = upstream(team, recorder, enabled=False, **wish)
    with pytest.raises(SecretInUse, match="main partner"):
        remove_secret(actor=team.actor("alice"), secret=stored)
    change_upstream(actor=team.actor("alice"), upstream=made, changes={"auth_type": "none", "username": ""})
    remove_secret(actor=team.actor("alice"), secret=secret_of(team.space, "PARTNER_TOKEN"))
    assert not Secret.objects.exists()


def test_a_clone_reads_the_same_variables(team: Team, recorder: Recorder, settings: Any) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}
    upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT)
    clone = clone_registry(actor=team.actor("alice"), registry=team.registry, slug="copy")
    assert target_of(Upstream.objects.get(registry=clone)).authorization == f"Bearer {VALUE}"


def test_an_answer_that_repeats_a_value_is_withheld(team: Team, recorder: Recorder) -> None:
    secret(team)
    upstream(team, recorder, "v1-${PARTNER_TOKEN}")
    recorder.add("echo", description=f"you came with {VALUE}")
    recorder.add("quiet", description="you came with v1-")
    assert team.send("rita", "GET", "/echo").status_code == 502
    assert team.send("rita", "GET", "/quiet").status_code == 200


def test_a_line_of_the_log_leaves_values_out(team: Team, recorder: Recorder) -> None:
    secret(team)
    target_of(upstream(team, recorder, "pre-${PARTNER_TOKEN}", auth_type="basic", username="u"))
    said = f"{VALUE} and {basic('u', f'pre-{VALUE}')} and pre-{VALUE}"
    line = Masked().format(logging.LogRecord("a", logging.ERROR, __file__, 1, "%s", (said,), None))
    assert line == "*** and Basic *** and ***"


def test_a_private_key_keeps_its_lines_where_there_is_no_header(team: Team, recorder: Recorder) -> None:
    key = "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    secret(team, "KEY", f"{key}\n")
    made = upstream(team, recorder, "${KEY}")
    with pytest.raises(VariableUnusable, match="KEY"):
        target_of(made)
    made.url = "ssh://git@git.example.org/team/modules.git"
    found = credentials_of(made)
    assert found is not None
    assert found.secret == key
    assert target_of(made).authorization == ""
