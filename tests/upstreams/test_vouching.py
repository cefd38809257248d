"""Variables of the server: who may name them, and what ends that."""

from typing import Any

import pytest

from tests.npm.team import Team
from tests.parts.recorder import Recorder
from tests.upstreams.naming import ROOT, VALUE, secret, upstream
from upstreams.clients.http import basic
from upstreams.errors import UpstreamInvalid, VariableUnset
from upstreams.services.sources import change_upstream
from upstreams.targets import target_of
from upstreams.variables import shell_variables

pytestmark = pytest.mark.usefixtures("loopback")


@pytest.mark.parametrize("change", [{"patterns": ("@partner/*", "@more/*")}, {"secret": "mine"}, {"auth_type": "basic", "username": "u"}])
def test_what_an_operator_vouched_for_is_theirs_until_somebody_else_changes_it(
    team: Team, recorder: Recorder, settings: Any, change: dict[str, Any]
) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}
    made = upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT, patterns=("@partner/*",))
    harmless: dict[str, Any] = {"priority": 7, "enabled": False, "internal": True, "read_timeout": 5}
    kept = change_upstream(actor=team.actor("alice"), upstream=made, changes=harmless)  # type: ignore[arg-type]
    assert kept.is_operators
    if "secret" in change:
        taken = change_upstream(actor=team.actor("alice"), upstream=made, changes=change)  # type: ignore[arg-type]
        assert not taken.is_operators
        return
    with pytest.raises(UpstreamInvalid, match="only an operator"):
        change_upstream(actor=team.actor("alice"), upstream=made, changes=change)  # type: ignore[arg-type]
    made.refresh_from_db()
    assert made.is_operators
    assert made.patterns == ["@partner/*"]


def test_a_moved_address_takes_no_variable_of_the_server_along(team: Team, recorder: Recorder, settings: Any) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": VALUE}
    made = upstream(team, recorder, "${UPSTREAM_PARTNER}", actor=ROOT)
    for change in ({"url": f"{recorder.url}/elsewhere"}, {"url": "https://evil.example.org", "secret": "${UPSTREAM_PARTNER}"}):
        with pytest.raises(UpstreamInvalid, match="only an operator"):
            change_upstream(actor=team.actor("alice"), upstream=made, changes=change)  # type: ignore[arg-type]


def test_an_operators_hand_does_not_vouch_for_what_a_stranger_wrote(
    team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://the-servers-own")
    secret(team, "DATABASE_URL")
    made = upstream(team, recorder, "${DATABASE_URL}")
    for change in ({"enabled": False}, {"enabled": True, "patterns": ("a*",)}):
        made = change_upstream(actor=ROOT, upstream=made, changes=change)  # type: ignore[arg-type]
        assert not made.is_operators
    with shell_variables():
        assert target_of(made).authorization == f"Bearer {VALUE}"


def test_a_strangers_user_name_is_not_vouched_for_either(team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://the-servers-own")
    secret(team, "DATABASE_URL")
    made = upstream(team, recorder, "theirs", auth_type="basic", username="${DATABASE_URL}")
    made = change_upstream(actor=ROOT, upstream=made, changes={"secret": "an operator's"})
    assert not made.is_operators
    with shell_variables():
        assert target_of(made).authorization == basic(VALUE, "an operator's")
    made = change_upstream(actor=ROOT, upstream=made, changes={"secret": "an operator's", "username": "u"})
    assert made.is_operators


def test_a_shell_gives_its_variables_to_operators_upstreams_alone(team: Team, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_REGISTRY_TOKEN", "of-the-shell")
    with shell_variables():
        made = upstream(team, recorder, "${PRIVATE_REGISTRY_TOKEN}", actor=ROOT)
        assert target_of(made).authorization == "Bearer of-the-shell"
        monkeypatch.delenv("PRIVATE_REGISTRY_TOKEN")
        with pytest.raises(VariableUnset, match="PRIVATE_REGISTRY_TOKEN"):
            target_of(made)
        monkeypatch.setenv("PRIVATE_REGISTRY_TOKEN", "of-the-shell")
        with pytest.raises(UpstreamInvalid, match="no secret"):
            change_upstream(actor=team.actor("alice"), upstream=made, changes={"secret": "${PRIVATE_REGISTRY_TOKEN}"})
    with pytest.raises(VariableUnset, match="PRIVATE_REGISTRY_TOKEN"):
        target_of(made)
    secret(team, "PRIVATE_REGISTRY_TOKEN")
    assert target_of(made).authorization == f"Bearer {VALUE}", "the server knows it as a secret of the workspace"
