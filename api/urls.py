"""The addresses of REST (CONTRACT.md section 4). The final slash may be left out.

A path arrives decoded, so `@acme%2ffoo` and `@acme/foo` are one; the expression for names takes a
scope with its name whole, a module's user with its name, and nothing else with a slash, so `…/versions/` cannot be read as a name.
"""

from django.urls import re_path

from api.views import (
    alerts,
    claims,
    contents,
    events,
    invitations,
    later,
    members,
    mirrors,
    moving,
    packages,
    registries,
    resolution,
    schema,
    secrets,
    service_tokens,
    tags,
    tokens,
    tombstones,
    upstreams,
    users,
    versions,
    webhooks,
    whoami,
    workspaces,
)

ID = r"(?P<id>[0-9]{1,18})"
WS = r"^v1/workspaces/(?P<ws>[^/]+)"
HOOK = WS + "/webhooks/" + ID
DELIVERY = HOOK + r"/deliveries/(?P<delivery>[0-9]{1,18})"
REG = WS + r"/registries/(?P<reg>[^/]+)"
FORMAT = REG + r"/packages/(?P<format>[^/]+)"
NAME = FORMAT + r"/(?P<name>@[^/]+/[^/]+|(?<=/moonbit/)[^@/]+/[^/]+|[^@/][^/]*)"
END = r"/?$"

urlpatterns = [
    re_path(r"^schema" + END, schema.SchemaView.as_view(), name="api-schema"),
    re_path(r"^docs" + END, schema.DocsView.as_view(), name="api-docs"),
    re_path(r"^v1/whoami" + END, whoami.WhoamiView.as_view()),
    re_path(r"^v1/users" + END, users.UsersView.as_view()),
    re_path(r"^v1/users/(?P<username>[^/]+)" + END, users.UserView.as_view()),
    re_path(r"^v1/tokens" + END, tokens.TokensView.as_view()),
    re_path(r"^v1/tokens/" + ID + END, tokens.TokenView.as_view()),
    re_path(r"^v1/workspaces" + END, workspaces.WorkspacesView.as_view()),
    re_path(WS + END, workspaces.WorkspaceView.as_view()),
    re_path(WS + "/members" + END, members.MembersView.as_view()),
    re_path(WS + r"/members/(?P<username>[^/]+)" + END, members.MemberView.as_view()),
    re_path(WS + "/tokens" + END, service_tokens.ServiceTokensView.as_view()),
    re_path(WS + "/tokens/" + ID + END, service_tokens.ServiceTokenView.as_view()),
    re_path(WS + "/alerts" + END, alerts.AlertsView.as_view()),
    re_path(WS + "/alerts/" + ID + "/acknowledge" + END, alerts.AcknowledgeView.as_view()),
    re_path(WS + "/events" + END, events.EventsView.as_view()),
    re_path(WS + "/usage" + END, workspaces.UsageView.as_view()),
    re_path(WS + "/claims" + END, claims.ClaimsView.as_view()),
    re_path(WS + "/claims/" + ID + END, claims.ClaimView.as_view()),
    re_path(r"^v1/invitations/accept" + END, invitations.AcceptInvitationView.as_view()),
    re_path(WS + "/invitations" + END, invitations.InvitationsView.as_view()),
    re_path(WS + "/invitations/" + ID + END, invitations.InvitationView.as_view()),
    re_path(WS + "/secrets" + END, secrets.SecretsView.as_view()),
    re_path(WS + r"/secrets/(?P<name>[^/]+)" + END, secrets.SecretView.as_view()),
    re_path(WS + "/webhooks" + END, webhooks.WebhooksView.as_view()),
    re_path(HOOK + END, webhooks.WebhookView.as_view()),
    re_path(HOOK + "/rotate" + END, webhooks.WebhookRotateView.as_view()),
    re_path(HOOK + "/test" + END, webhooks.WebhookTestView.as_view()),
    re_path(HOOK + "/deliveries" + END, webhooks.DeliveriesView.as_view()),
    re_path(DELIVERY + END, webhooks.DeliveryView.as_view()),
    re_path(DELIVERY + "/redeliver" + END, webhooks.RedeliverView.as_view()),
    re_path(WS + "/tombstones" + END, tombstones.TombstonesView.as_view()),
    re_path(WS + "/tombstones/lift" + END, tombstones.LiftView.as_view()),
    re_path(WS + "/registries" + END, registries.RegistriesView.as_view()),
    re_path(REG + END, registries.RegistryView.as_view()),
    re_path(REG + "/clone" + END, registries.CloneView.as_view()),
    re_path(REG + "/aliases" + END, registries.AliasesView.as_view()),
    re_path(REG + r"/aliases/(?P<alias>[^/]+)" + END, registries.AliasView.as_view()),
    re_path(REG + "/upstreams" + END, upstreams.UpstreamsView.as_view()),
    re_path(REG + "/upstreams/order" + END, upstreams.UpstreamsOrderView.as_view()),
    re_path(REG + "/upstreams/" + ID + END, upstreams.UpstreamView.as_view()),
    re_path(REG + "/upstreams/" + ID + "/test" + END, upstreams.UpstreamTestView.as_view()),
    re_path(REG + "/push" + END, moving.PushView.as_view()),
    re_path(REG + "/pull" + END, moving.PullView.as_view()),
    re_path(REG + "/mirrors" + END, mirrors.MirrorsView.as_view()),
    re_path(REG + "/mirrors/" + ID + END, mirrors.MirrorView.as_view()),
    re_path(REG + "/mirrors/" + ID + "/cancel" + END, mirrors.MirrorCancelView.as_view()),
    re_path(REG + "/mirrors/" + ID + "/retry" + END, mirrors.MirrorRetryView.as_view()),
    re_path(REG + "/schedules" + END, mirrors.SchedulesView.as_view()),
    re_path(REG + "/schedules/" + ID + END, mirrors.ScheduleView.as_view()),
    re_path(REG + "/packages" + END, packages.PackagesView.as_view()),
    re_path(FORMAT + END, packages.FormatView.as_view()),
    re_path(NAME + END, packages.PackageView.as_view()),
    re_path(NAME + "/downloads" + END, contents.DownloadsView.as_view()),
    re_path(NAME + "/dependents" + END, packages.DependentsView.as_view()),
    re_path(NAME + "/versions" + END, versions.VersionsView.as_view()),
    re_path(NAME + r"/versions/(?P<version>[^/]+)" + END, versions.VersionView.as_view()),
    re_path(NAME + r"/versions/(?P<version>[^/]+)/dependencies" + END, contents.DependenciesView.as_view()),
    re_path(NAME + r"/versions/(?P<version>[^/]+)/files" + END, contents.FilesView.as_view()),
    re_path(NAME + r"/versions/(?P<version>[^/]+)/files/(?P<file>.+?)" + END, contents.FileView.as_view()),
    re_path(NAME + r"/versions/(?P<version>[^/]+)/accept" + END, versions.AcceptView.as_view()),
    re_path(NAME + "/tags" + END, tags.TagsView.as_view()),
    re_path(NAME + r"/tags/(?P<tag>[^/]+)" + END, tags.TagView.as_view()),
    re_path(NAME + "/resolution" + END, resolution.ResolutionView.as_view()),
    re_path(NAME + "/tombstone" + END, resolution.TombstoneView.as_view()),
    re_path(r"^(?P<path>.*)$", later.UnknownView.as_view()),
]
