"""Every row of the threats that has been built for has its tests: which, is said here, and checked.

The rows are those of the list of threats and faults the house is built against: N names and content, P concurrency,
U upstreams, D internal names, R resource abuse, A accounts. The others come with what they are about.
"""

import ast
from functools import cache

import pytest

from tests.parts import ROOT

BAD, LIVE, UP = "tests/bad_input/test_", "tests/rule_live/test_", "tests/upstreams/test_"
NPM, FORMATS, HOUSE, WEB = "tests/npm/test_", "tests/formats/test_npm_", "tests/house/test_", "tests/web/test_"
EVERYWHERE = f"{LIVE}everywhere"
REFUSALS, ODD, HOSTILE = f"{BAD}publish_refusals.py", f"{BAD}odd_names.py", f"{UP}hostile_documents.py"
ACCOUNTS = f"{BAD}accounts_"

ROWS: dict[str, tuple[str, ...]] = {
    "N1": (
        f"{REFUSALS}::test_a_bad_body_changes_nothing",
        f"{ODD}::test_a_body_made_to_hurt_costs_little",
        f"{FORMATS}scan.py::test_nesting_is_bounded",
        f"{BAD}unknown_outcomes.py::test_texts_with_nul_are_published_and_found",
    ),
    "N2": (f"{NPM}door_publish.py::test_bodies_in_other_codings_are_refused", f"{NPM}door_publish.py::test_another_charset_is_refused"),
    "N3": (f"{REFUSALS}::test_a_bad_body_changes_nothing", f"{NPM}door_publish.py::test_a_scoped_token_publishes_its_names_only"),
    "N4": (
        f"{BAD}names_and_numbers.py::test_a_bad_name_is_refused",
        f"{BAD}names_and_numbers.py::test_a_bad_tag_is_refused",
        f"{ODD}::test_no_name_of_an_attachment_becomes_a_path",
        f"{BAD}unknown_outcomes.py::test_nul_in_an_address_is_400",
    ),
    "N5": (f"{ODD}::test_a_new_name_meets_npms_rule", f"{FORMATS}names.py::test_old_names_may_be_read"),
    "N6": (f"{ODD}::test_two_that_would_share_a_file_name_are_two",),
    "N7": (
        f"{ODD}::test_a_package_of_such_a_name_is_refused",
        f"{ODD}::test_such_a_version_tag_user_or_registry_is_refused_or_ordinary",
        f"{ODD}::test_such_keys_inside_a_package_are_data",
    ),
    "N8": (
        f"{NPM}door_manifest.py::test_another_package_in_the_tarball_is_refused",
        f"{NPM}door_manifest.py::test_a_publish_that_claims_more_is_served_as_its_tarball_is",
        f"{NPM}door_manifest.py::test_a_publish_that_hides_something_is_served_as_its_tarball_is",
    ),
    "N9": (
        f"{BAD}names_and_numbers.py::test_a_version_that_is_not_semver_is_refused",
        f"{ODD}::test_a_very_long_version_is_refused_before_it_is_parsed",
        f"{ODD}::test_a_range_is_no_version",
    ),
    "N10": (
        f"{FORMATS}tarball.py::test_refused",
        f"{FORMATS}tarball.py::test_a_bomb_is_stopped_by_its_ratio_in_little_memory",
        f"{REFUSALS}::test_a_bad_body_changes_nothing",
    ),
    "N11": (f"{NPM}door_changes.py::test_unpublish_one_version", f"{LIVE}internal_names.py::test_a_tombstone_keeps_the_name"),
    "N12": (f"{REFUSALS}::test_a_bad_body_changes_nothing", f"{ODD}::test_a_length_that_is_not_the_bytes_is_refused"),
    "N13": (
        f"{ODD}::test_what_a_client_claims_of_trust_is_rewritten",
        f"{FORMATS}publish.py::test_what_a_client_says_of_itself_and_of_trust_is_not_kept",
    ),
    "P1": (
        f"{REFUSALS}::test_the_same_bytes_again_are_200_and_change_nothing",
        f"{REFUSALS}::test_other_bytes_are_409",
        f"{REFUSALS}::test_bytes_cannot_change_through_a_metadata_update",
    ),
    "P2": (f"{BAD}races.py::test_twenty_publishers_of_one_version",),
    "P3": (f"{BAD}races.py::test_fifty_publishers_of_fifty_versions",),
    "P4": (f"{BAD}races.py::test_two_writers_on_one_tag",),
    "P5": (f"{BAD}unknown_outcomes.py::test_unpublishing_while_installing_shows_the_old_state_or_the_new",),
    "P8": (
        f"{BAD}unknown_outcomes.py::test_a_publish_whose_answer_was_lost_is_retried_and_stored_once",
        f"{BAD}unknown_outcomes.py::test_a_retry_of_other_bytes_is_refused",
    ),
    "U1": (f"{LIVE}credentials.py::test_a_private_address_is_refused_when_saved",),
    "U2": (
        f"{LIVE}credentials.py::test_a_redirect_to_a_private_address_is_refused",
        f"{UP}addresses.py::test_a_redirect_elsewhere_opens_no_line",
        f"{UP}rebinding.py::test_no_connection_was_made_to_a_private_address",
    ),
    "U3": (f"{UP}addresses.py::test_a_sixth_is_not", f"{UP}addresses.py::test_https_is_never_left_for_http"),
    "U4": (
        f"{UP}addresses.py::test_a_name_is_resolved_once_and_the_line_goes_to_what_was_judged",
        f"{UP}rebinding.py::test_an_upstream_of_this_name",
    ),
    "U5": (
        f"{UP}addresses.py::test_a_name_with_a_public_and_a_private_address_is_refused",
        f"{UP}rebinding.py::test_an_upstream_of_this_name",
    ),
    "U6": (f"{UP}addresses.py::test_proxies_of_the_environment_are_not_used",),
    "U7": (f"{LIVE}credentials.py::test_a_private_address_is_refused_when_connecting",),
    # There is no avatar or image proxy: nothing of ours fetches what a person types in but upstreams, their test and webhooks.
    "U8": (
        f"{HOUSE}threat_rows.py::test_nothing_but_the_guarded_client_opens_connections",
        f"{UP}probing.py::test_an_address_that_is_not_public",
        f"{LIVE}secrets.py::test_a_forbidden_address_is_one_sentence",
        f"{UP}probing.py::test_a_redirect_elsewhere_takes_no_credentials_along",
        "tests/webhooks/test_sending.py::test_a_name_that_leads_to_a_private_address_later_is_not_reached",
        "tests/webhooks/test_sending.py::test_redirects_are_not_followed",
    ),
    "U9": (f"{LIVE}credentials.py::test_refused_credentials_are_a_502", f"{UP}troubles.py::test_people_read_a_sentence"),
    "U10": (
        f"{LIVE}credentials.py::test_no_secret_in_answers_or_logs",
        f"{LIVE}secrets.py::test_a_secret_from_beginning_to_end",
        f"{LIVE}secrets.py::test_an_operators_upstream_reads_the_servers_variable",
        f"{UP}variables.py::test_variables_are_shown_and_literals_never",
        f"{UP}variables.py::test_a_line_of_the_log_leaves_values_out",
    ),
    "U11": (f"{LIVE}credentials.py::test_a_tarball_on_another_host_gets_none",),
    "U12": (f"{LIVE}credentials.py::test_a_redirect_elsewhere_carries_none",),
    "U13": (f"{LIVE}credentials.py::test_the_clients_own_credentials_stay_here",),
    "U14": (f"{UP}addresses.py::test_a_challenge_makes_nobody_go_elsewhere_with_our_credentials",),
    "U15": (
        f"{HOSTILE}::test_an_upstream_that_repeats_our_credentials_is_withheld",
        "tests/moonbit/test_index_copies.py::test_an_index_that_repeats_our_credentials_is_withheld",
    ),
    "U16": (f"{LIVE}bytes.py::test_a_truncated_tarball_is_never_complete",),
    "U17": (f"{LIVE}bytes.py::test_changed_bytes_under_the_same_promise_are_refused", f"{LIVE}trouble.py::test_tarballs"),
    "U18": (f"{LIVE}bytes.py::test_first_bytes_win",),
    "U19": (f"{LIVE}bytes.py::test_first_promise_wins_before_any_byte_was_fetched",),
    "U20": (
        f"{UP}addresses.py::test_a_line_with_surplus_bytes_is_not_used_again",
        f"{UP}addresses.py::test_an_answer_of_two_minds_poisons_no_other",
        f"{LIVE}trouble.py::test_metadata",
    ),
    "U21": (
        f"{NPM}door_manifest.py::test_a_pulled_tarball_corrects_its_document",
        f"{NPM}door_manifest.py::test_an_upstream_that_sends_another_package_is_refused",
    ),
    "U22": (
        f"{HOSTILE}::test_what_makes_no_sense_is_dropped_and_the_rest_served",
        f"{HOSTILE}::test_what_is_no_packument_is_a_502_and_nothing_is_kept",
        f"{BAD}unknown_outcomes.py::test_texts_with_nul_are_pulled",
    ),
    "U23": (
        f"{HOSTILE}::test_a_bomb_takes_little_memory",
        "tests/faults/test_heavy_upstreams.py::*",
        f"{HOSTILE}::test_fifty_thousand_versions_are_served",
        f"{UP}conversation.py::test_a_drip_ends_at_the_total_limit",
        f"{LIVE}trouble.py::test_metadata",
    ),
    "U24": (
        f"{UP}stale.py::test_a_stand_in_says_so_until_the_upstream_is_back",
        f"{LIVE}trouble.py::test_stale_metadata_is_served_when_upstream_is_down",
    ),
    "U25": (
        f"{UP}breaker.py::test_it_opens_after_five_failures_and_lets_one_through_every_ten_seconds",
        f"{LIVE}trouble.py::test_a_real_404_is_a_404_and_remembered",
        f"{LIVE}trouble.py::test_what_was_never_seen_is_503_while_upstream_is_gone",
    ),
    "U26": (
        f"{UP}vanished.py::test_a_version_that_is_gone_is_not_offered_and_not_latest",
        f"{UP}vanished.py::test_what_is_held_stays_but_is_not_latest",
        f"{UP}vanished.py::test_a_package_that_is_gone",
    ),
    # The cool-down for fresh versions is an option, and nobody built it yet; times to come do no harm.
    "U27": (f"{HOSTILE}::test_what_makes_no_sense_is_dropped_and_the_rest_served",),
    "U28": (f"{HOSTILE}::test_headers_of_metadata_are_ours", f"{LIVE}trouble.py::test_headers_of_upstream_are_not_passed_on"),
    "U29": (f"{LIVE}bytes.py::test_a_hundred_askers_cost_one_fetch",),
    "U30": (f"{HOSTILE}::test_our_own_clock_decides_how_long_an_answer_counts", f"{HOSTILE}::test_always_not_modified"),
    "D1": (
        f"{EVERYWHERE}.py::test_a_name_that_is",
        f"{EVERYWHERE}_mirrored.py::test_a_name_that_is",
        "tests/moonbit/test_everywhere.py::test_a_module_that_is",
    ),
    "D2": (f"{LIVE}internal_names.py::test_a_claimed_name_is_never_asked",),
    "D3": (f"{LIVE}internal_names.py::test_a_tombstone_keeps_the_name",),
    "D4": (f"{LIVE}internal_names.py::test_a_published_name_is_never_asked",),  # in every spelling
    "D5": (f"{EVERYWHERE}.py::test_a_name_that_is", f"{UP}chain.py::*"),
    "D6": (f"{LIVE}changing_rules.py::*",),
    "D7": (f"{LIVE}internal_names.py::test_workspaces_do_not_influence_each_other",),
    "R1": (
        f"{BAD}broken_connections.py::test_a_body_over_the_limit_is_413_before_it_is_read",
        f"{BAD}broken_connections.py::test_a_never_ending_body_is_413_when_it_passes_the_limit",
        f"{BAD}broken_connections.py::test_a_small_route_takes_a_small_body",
        f"{NPM}door_admission.py::test_the_limit_of_the_route_holds_however_the_body_is_sent",
    ),
    "R2": (
        f"{BAD}slow_clients.py::test_the_product_as_it_is_served_cuts_within_thirty_seconds",
        f"{BAD}slow_clients.py::test_a_slow_head_is_cut",
        f"{BAD}slow_clients.py::test_a_slow_body_is_408",
        f"{BAD}slow_clients.py::test_two_hundred_slow_clients_stop_nobody",
    ),
    "R3": (
        f"{BAD}ranges_and_bombs.py::test_a_packed_body_is_not_unpacked",
        f"{BAD}ranges_and_bombs.py::test_a_packed_audit_is_unpacked_to_its_limit",
        f"{NPM}audit_bodies.py::test_a_bomb_takes_little_memory",
    ),
    "R4": (
        f"{BAD}ranges_and_bombs.py::test_one_range_is_given",
        f"{BAD}ranges_and_bombs.py::test_any_other_range_is_ignored",
        f"{BAD}ranges_and_bombs.py::test_a_range_outside_is_416",
    ),
    "R5": (f"{LIVE}outgoing.py::test_a_broad_search_is_ended_or_answered_in_time",),
    "R6": (
        f"{BAD}raw_requests.py::test_an_odd_request_is_refused_and_the_connection_ends",
        f"{BAD}broken_connections.py::test_lengths_that_contradict_themselves",
    ),
    "R9": (f"{HOUSE}observation.py::test_a_line_stays_one_line_of_json", f"{HOUSE}observation.py::test_a_hot_line_stays_one_line_too"),
    "A1": ("tests/permissions/test_matrix_npm.py::*", "tests/permissions/test_matrix_api.py::*"),
    "A2": ("tests/permissions/test_matrix_npm.py::*", f"{NPM}door_tokens_create.py::*"),
    "A3": (f"{ACCOUNTS}live.py::test_what_ends_a_token_ends_it_on_the_next_request_of_every_process",),
    "A4": (f"{ACCOUNTS}identity.py::test_who_is_taken_out_is_out_everywhere_at_once",),
    "A5": (
        f"{ACCOUNTS}identity.py::test_ids_of_another_tenant_are_unknown_below_ones_own_pages",
        f"{ACCOUNTS}identity.py::test_ids_of_another_tenant_in_bodies_of_rest_and_npm",
    ),
    "A6": (
        f"{WEB}github.py::test_an_account_is_never_taken_over_by_its_name_or_address",
        f"{WEB}github.py::test_who_links_is_who_began",
        f"{WEB}github.py::test_a_sign_in_begun_by_nobody_links_nothing_to_somebody",
    ),
    "A7": (
        f"{WEB}github_troubles.py::test_what_nobody_was_sent_back_with",
        f"{WEB}github_troubles.py::test_the_state_belongs_to_the_browser_that_began",
        f"{WEB}github_troubles.py::test_the_state_counts_once",
        f"{WEB}github_troubles.py::test_the_state_lives_ten_minutes",
        f"{WEB}github_troubles.py::test_a_code_github_has_seen_already",
    ),
    "A8": (
        f"{ACCOUNTS}web_login.py::test_a_sign_in_leads_nowhere_else",
        f"{WEB}github_troubles.py::test_next_leads_to_our_own_pages_alone",
    ),
    "A11": (
        f"{ACCOUNTS}web_login.py::test_only_a_post_with_its_csrf_token_in_a_session_approves",
        f"{ACCOUNTS}live.py::test_two_pollers_and_one_token",
    ),
    "A12": (f"{ACCOUNTS}guessing.py::test_who_exists_costs_and_tells_the_same",),
    "A13": (
        f"{ACCOUNTS}guessing.py::test_ten_failures_close_every_door_to_that_name_from_there",
        "tests/api/test_api_throttle.py::test_what_is_left_is_said_and_then_it_is_429",
    ),
    "A14": (f"{ACCOUNTS}identity.py::test_no_header_but_authorization_names_the_caller",),
}
WANTED = {
    *(f"D{number}" for number in range(1, 8)),
    *(f"N{number}" for number in range(1, 14)),
    *(f"P{number}" for number in (1, 2, 3, 4, 5, 8)),
    *(f"U{number}" for number in range(1, 31)),
    *(f"R{number}" for number in (1, 2, 3, 4, 5, 6, 9)),
    *(f"A{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14)),
}
NETWORK = frozenset({"urllib3", "requests", "httpx", "aiohttp", "socket", "http.client", "urllib.request", "ftplib", "smtplib"})
GUARDED = "upstreams/clients/"
OURSELVES = {"config/instance.py", "config/attend.py"}  # look at our own port
READS = {"upstreams/services/mirroring/hold.py"}  # this machine's own name; opens nothing


@cache
def named_in(path: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def test_no_row_is_left_out() -> None:
    assert ROWS.keys() == WANTED


@pytest.mark.parametrize("row", ROWS)
def test_a_row_has_the_tests_it_is_said_to_have(row: str) -> None:
    for place in ROWS[row]:
        path, _, name = place.partition("::")
        found = named_in(path)
        assert found if name == "*" else name in found, f"row {row}: {place} is not there"


def imports(path: str) -> set[str]:
    """Every module a file imports, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_nothing_but_the_guarded_client_opens_connections() -> None:
    folders = ("api", "config", "packages", "protocols", "registries", "tokens", "upstreams", "web", "webhooks", "workspaces")
    files = {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert len(files) > 100
    found = {path for path in files if imports(path) & NETWORK and not path.startswith(GUARDED)}
    assert found == OURSELVES | READS
