"""Django's own admin, for operators of the installation: people and their passwords; the rest to look at only.

What it would change of workspaces and registries has services with rules and an audit log, so it changes none.
"""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from registries.models import Registry
from web.errors import to_sign_in
from web.views.session import safe_next
from workspaces.models import User, Workspace


class LookOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # one class for any model
    """Rows may be seen, not touched."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Services create."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Services change."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:  # noqa: ARG002
        """Services delete."""
        return False


def sign_in(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:  # noqa: ARG001
    """The pages' own sign-in, whose failures are throttled, instead of the admin's. Others learn of no admin."""
    if admin.site.has_permission(request):
        return redirect(safe_next(request.GET.get("next", reverse("admin:index"))))
    if request.user.is_authenticated:
        raise Http404
    return to_sign_in(request)


admin.site.login = sign_in  # type: ignore[method-assign]  # every admin page asks this one
admin.site.register(User, UserAdmin)
admin.site.register(Workspace, LookOnly)
admin.site.register(Registry, LookOnly)
