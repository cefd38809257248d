"""The addresses of the pages (CONTRACT.md section 3: everything no other door has)."""

from django.urls import path, register_converter

from web import converters
from web.views import (
    activity,
    alerts,
    approval,
    errors,
    github,
    home,
    mirrors,
    moving,
    naming,
    operations,
    package,
    password,
    people,
    registry,
    secrets,
    session,
    testing,
    tokens,
    tombstones,
    upstreams,
    version,
    workspace,
)

register_converter(converters.WorkspaceSlug, "ws")
register_converter(converters.RegistrySlug, "reg")
register_converter(converters.FormatWord, "format")
register_converter(converters.PackageName, "package")

REGISTRY = "<ws:ws>/registries/<reg:reg>/"
PACKAGE = f"{REGISTRY}<format:format>/<package:name>/"
VERSION = f"{PACKAGE}v/<str:number>/"

app_name = "web"
urlpatterns = [
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("login", session.sign_in, name="login"),
    path("logout", session.sign_out, name="logout"),
    path("login/cli/<str:page_id>", approval.approval, name="approval"),
    path("www/login", session.www_sign_in, name="www-login"),
    path("www/login/providers/github", github.begin, name="github-begin"),
    path("www/login/providers/github/callback", github.callback, name="github-callback"),
    path("www/signup", github.signup, name="signup"),
    path("www/tokens", github.tokens, name="www-tokens"),
    path("account/github/unlink/", github.unlink, name="github-unlink"),
    path("", home.home, name="home"),
    path("account/", home.account, name="account"),
    path("account/password/", password.password, name="password"),
    path("<ws:ws>/", workspace.workspace, name="workspace"),
    path("<ws:ws>/alerts/", alerts.alerts, name="alerts"),
    path("<ws:ws>/activity/", activity.activity, name="activity"),
    path("<ws:ws>/people/", people.people, name="people"),
    path("<ws:ws>/people/remove/", people.remove, name="member-remove"),
    path("<ws:ws>/claims/", people.claims, name="claims"),
    path("<ws:ws>/claims/<int:claim_id>/remove/", people.unclaim, name="claim-remove"),
    path("<ws:ws>/tombstones/", tombstones.tombstones, name="tombstones"),
    path("<ws:ws>/tombstones/lift/", tombstones.lift_all, name="tombstones-lift"),
    path("<ws:ws>/secrets/", secrets.secrets, name="secrets"),
    path("<ws:ws>/secrets/<str:name>/", secrets.secret, name="secret"),
    path("<ws:ws>/secrets/<str:name>/remove/", secrets.remove, name="secret-remove"),
    path("<ws:ws>/tokens/", tokens.tokens, name="tokens"),
    path("<ws:ws>/tokens/<int:token_id>/revoke/", tokens.revoke, name="token-revoke"),
    path(REGISTRY, registry.registry, name="registry"),
    path(f"{REGISTRY}settings/", registry.settings, name="registry-settings"),
    path(f"{REGISTRY}rename/", naming.rename, name="registry-rename"),
    path(f"{REGISTRY}clone/", naming.clone, name="registry-clone"),
    path(f"{REGISTRY}aliases/<str:alias>/release/", naming.release, name="alias-release"),
    path(f"{REGISTRY}upstreams/", upstreams.upstreams, name="upstreams"),
    path(f"{REGISTRY}upstreams/<int:upstream_id>/", upstreams.upstream, name="upstream"),
    path(f"{REGISTRY}upstreams/<int:upstream_id>/test/", testing.test, name="upstream-test"),
    path(f"{REGISTRY}upstreams/<int:upstream_id>/switch/", upstreams.switch, name="upstream-switch"),
    path(f"{REGISTRY}upstreams/<int:upstream_id>/remove/", upstreams.remove, name="upstream-remove"),
    path(f"{REGISTRY}mirrors/", mirrors.mirrors, name="mirrors"),
    path(f"{REGISTRY}mirrors/<int:mirror_id>/", mirrors.mirror, name="mirror"),
    path(f"{REGISTRY}mirrors/<int:mirror_id>/cancel/", mirrors.stop, name="mirror-cancel"),
    path(f"{REGISTRY}mirrors/<int:mirror_id>/retry/", mirrors.again, name="mirror-retry"),
    path(f"{REGISTRY}mirrors/schedules/", mirrors.schedules, name="mirror-schedules"),
    path(f"{REGISTRY}mirrors/schedules/<int:schedule_id>/switch/", mirrors.schedule_switch, name="mirror-schedule-switch"),
    path(f"{REGISTRY}mirrors/schedules/<int:schedule_id>/remove/", mirrors.schedule_remove, name="mirror-schedule-remove"),
    path(PACKAGE, package.package, name="package"),
    path(f"{PACKAGE}resolution/", package.resolution, name="resolution"),
    path(f"{PACKAGE}tags/", package.tag, name="tag"),
    path(f"{PACKAGE}delete/", package.delete, name="package-delete"),
    path(f"{PACKAGE}tombstone/", package.tombstone, name="tombstone"),
    path(f"{PACKAGE}push/", moving.push_package, name="package-push"),
    path(f"{PACKAGE}pull/", moving.pull, name="package-pull"),
    path(VERSION, version.version, name="version"),
    path(f"{VERSION}push/", moving.push_version, name="version-push"),
    path(f"{VERSION}internal/", version.internal, name="version-internal"),
    path(f"{VERSION}accept/", version.accept, name="version-accept"),
    path(f"{VERSION}deprecate/", version.deprecate, name="version-deprecate"),
    path(f"{VERSION}delete/", version.delete, name="version-delete"),
    path("<path:rest>", errors.elsewhere, name="elsewhere"),
]
