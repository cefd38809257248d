"""Every field of every form with what no person types: a refusal that is a page and changes nothing, never a 500."""

import re
from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client

from packages.models import Version
from tests.web.conftest import World
from tests.web.furnished import filled, furnished, with_github
from tests.web.test_permissions import FORMS
from workspaces.models import Event

__all__ = ["furnished", "with_github"]  # fixtures that every test here uses
SCRIPT = "<script>alert(1)</script>"
MEGABYTE = "x" * 1_000_000
ODD = (MEGABYTE, "a\x00b", SCRIPT, "9" * 5000, "-1", "\u202e\ufeff", "' OR 1=1 --", "../../etc/passwd", "{{ 7 }}{% debug %}")
ANSWERED = (302, 201)
MOST = 300_000  # bytes of a page: it may show a form again, and never a megabyte


@pytest.mark.parametrize("form", [form for form, (_, fields, _) in FORMS.items() if fields])
def test_each_field_made_wrong(form: str, alice: Client, world: World, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    address, fields, _ = FORMS[form]
    path, events = filled(address, world), Event.objects.count()
    for name in fields:
        for odd in ODD:
            with transaction.atomic():
                answer = alice.post(path, {**fields, name: odd})
                body = answer.content.decode()
                about = f"{name}={odd[:30]!r}: {answer.status_code} {re.sub('<[^>]+>', ' ', body)[:300]}"
                assert answer.status_code < 500, about
                assert SCRIPT not in body, about
                assert len(body) < MOST, f"{len(body)} of {about}"
                if answer.status_code not in ANSWERED:
                    assert Event.objects.count() == events, about
                transaction.set_rollback(True)
