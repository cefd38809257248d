"""The addresses of npm's protocol below a registry (reference/npm.md, 1.2). Names arrive decoded: `@acme/bar`."""

from django.urls import re_path

from protocols.npm.door import Door, View, door
from protocols.npm.views import absent, files, packument, profile, publish, session, tags, tokens, unpublish

NAME = r"(?P<pkg>@[^/]+/[^/]+|(?!-(?:/|\Z))[^/@][^/]*)"
# Clients also send the scope again: `/@acme/bar/-/@acme/bar-1.0.0.tgz`.
FILE = r"(?:@[^/]+/)?(?P<filename>[^/]+\.tgz)"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def every(view: View) -> Door:
    """The same answer to every method."""
    return door(**dict.fromkeys(METHODS, view))


urlpatterns = [
    re_path(r"^\Z", door(GET=packument.read_registry)),
    re_path(r"^-/ping/?\Z", door(GET=session.ping)),
    re_path(r"^-/whoami/?\Z", door(GET=session.whoami)),
    re_path(r"^-/v1/login/?\Z", door(POST=session.start)),
    re_path(r"^-/v1/login/poll/(?P<poll_id>[^/]+)/?\Z", door(GET=session.poll)),
    re_path(r"^-/user/org\.couchdb\.user:(?P<username>[^/]+)/?\Z", door(PUT=session.legacy_login, GET=session.read_user)),
    re_path(r"^-/user/token/(?P<token>.+)\Z", door(DELETE=session.logout)),
    re_path(r"^-/npm/v1/tokens/?\Z", door(GET=tokens.read_tokens, POST=tokens.add_token)),
    re_path(r"^-/npm/v1/tokens/token/(?P<key>[^/]+)/?\Z", door(DELETE=tokens.remove_token)),
    re_path(r"^-/npm/v1/user/?\Z", door(GET=profile.read_profile, POST=profile.write_profile)),
    re_path(rf"^-/package/{NAME}/dist-tags/?\Z", door(GET=tags.read_tags)),
    re_path(
        rf"^-/package/{NAME}/dist-tags/(?P<tag>[^/]+)/?\Z",
        door(PUT=tags.write_tag, POST=tags.write_tag, DELETE=tags.delete_tag),
    ),
    re_path(r"^-(?:/(?P<rest>.*))?\Z", every(absent.absent)),
    re_path(rf"^{NAME}/?\Z", door(GET=packument.read_package, PUT=publish.write_package)),
    re_path(rf"^{NAME}/-rev/(?P<rev>[^/]+)/?\Z", door(PUT=unpublish.write_revision, DELETE=unpublish.remove_package)),
    re_path(rf"^{NAME}/-/{FILE}/-rev/(?P<rev>[^/]+)/?\Z", door(DELETE=unpublish.remove_file)),
    re_path(rf"^{NAME}/-/{FILE}\Z", door(GET=files.read_file)),
    re_path(rf"^{NAME}/(?P<wanted>(?!-)[^/]+)/?\Z", door(GET=packument.read_version)),
    re_path(r"^(?P<rest>.*)\Z", every(absent.absent)),
]
