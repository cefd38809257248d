"""Django's own admin, for operators of the installation: people and their passwords; every other table to look at only.

What it would change has services with rules and an audit log, so it changes nothing. Secrets are not shown, nor is what
stands for one: sealed values, digests of links and tokens, addresses that may have a key in them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tokens.services.authenticate import actor_of_user
from tokens.services.second_factor import turn_off_for
from web.errors import to_sign_in
from web.views.session import safe_next
from workspaces.models import User

OWN = ("workspaces", "registries", "packages", "tokens", "upstreams", "webhooks")
HIDDEN = {"secret_hash", "poll_hash", "page_id", "digest", "words_digest", "source_digest", "refs_digest"}
HIDDEN_OF = {"Webhook": {"url"}, "Mirror": {"listed"}}
COLUMNS = 7
LONG = (models.JSONField, models.TextField, models.BinaryField)


class LookOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # one class for any model
    """Rows may be seen, not touched; the newest first, without a count of the whole table beside that of the page's."""

    ordering = ("-pk",)
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Services create."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Services change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Services delete."""
        return False


class People(UserAdmin):  # type: ignore[type-arg]  # at run time it takes none
    """Django's, with the help for who lost authenticator and recovery codes."""

    actions = ("turn_second_factor_off",)

    @admin.action(description=_("Turn the second factor off"))
    def turn_second_factor_off(self, request: HttpRequest, queryset: models.QuerySet[User]) -> None:
        """For the chosen people; said of each."""
        if not isinstance(request.user, User):  # the admin lets nobody else in
            return
        actor = replace(actor_of_user(request.user), ip=str(request.META.get("REMOTE_ADDR", "")))
        for user in queryset:
            was_on = turn_off_for(actor=actor, user=user)
            said = gettext("The second factor of %(name)s is off.") if was_on else gettext("There was none of %(name)s.")
            self.message_user(request, said % {"name": user.username})


def fields_of(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    """Its columns."""
    return list(model._meta.fields)  # noqa: SLF001 - Django's documented name for it


def is_hidden(field: "models.Field[Any, Any]") -> bool:
    """Whether nobody is to see it."""
    return isinstance(field, models.BinaryField) or field.name in HIDDEN | HIDDEN_OF.get(field.model.__name__, set())


def look_only(model: type[models.Model]) -> type[LookOnly]:
    """How a model is looked at: its first short columns in the list, everything but secrets on a row's page."""
    shown = [field for field in fields_of(model) if not is_hidden(field)]
    columns = [field for field in shown if not isinstance(field, LONG)][:COLUMNS]
    hidden = [field.name for field in fields_of(model) if is_hidden(field)]
    body = {"exclude": hidden, "list_display": [field.name for field in columns], "list_select_related": _named(columns)}
    return type(f"{model.__name__}LookOnly", (LookOnly,), body)


def _named(fields: "Sequence[models.Field[Any, Any]]") -> list[str]:
    """What is read with a row, so that each is called by its name without a statement of its own: two steps of foreign keys."""
    found = []
    for field in fields:
        if isinstance(field.related_model, type):
            beyond = [one.name for one in fields_of(field.related_model) if one.related_model is not None]
            found += [field.name, *(f"{field.name}__{name}" for name in beyond)]
    return found


def sign_in(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # noqa: ARG001
    """The pages' own sign-in, whose failures are throttled, instead of the admin's. Others learn of no admin."""
    if admin.site.has_permission(request):
        return redirect(safe_next(request.GET.get("next", reverse("admin:index"))))
    if request.user.is_authenticated:
        raise Http404
    return to_sign_in(request)


admin.site.login = sign_in  # type: ignore[method-assign]  # every admin page asks this one
admin.site.register(User, People)
for own in OWN:
    for one in apps.get_app_config(own).get_models():
        if one is not User:
            admin.site.register(one, look_only(one))
