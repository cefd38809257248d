"""The addresses of npm's protocol below a registry (reference/npm.md, 1.2). Names arrive decoded: `@acme/bar`."""

from django.urls import re_path

from protocols.npm.door import Door, View, door
from protocols.npm.views import (
    absent,
    access,
    audit,
    files,
    later,
    orgs,
    owners,
    packument,
    profile,
    publish,
    search,
    session,
    signatures,
    stars,
    tags,
    tokens,
    unpublish,
)

NAME = r"(?P<pkg>@[^/]+/[^/]+|(?!-(?:/|\Z))[^/@][^/]*)"
# Clients also send the scope again: `/@acme/bar/-/@acme/bar-1.0.0.tgz`.
FILE = r"(?:@[^/]+/)?(?P<filename>[^/]+)"
# What lock files made elsewhere have before the name, once npm has put our address before their path
# (`--replace-registry-host=always`): `api/npm/some-repo/`, `repository/npm/`. No package's address looks so, since a
# name has no slash outside its scope. Another workspace's registry is no such prefix.
ELSEWHERE = r"(?![^/]+/r/)(?:(?!-/)[^/@][^/]*/){1,8}"
WORD = r"[^/\x00-\x1f\x7f]+"
ORG, TEAM = rf"(?P<org>{WORD})", rf"(?P<team>{WORD})"
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


def every(view: View) -> Door:
    """The same answer to every method."""
    return door(**dict.fromkeys(METHODS, view))


# Packages first: Django looks at one pattern after the other, and no name begins with `-/`, as all other addresses do.
urlpatterns = [
    re_path(rf"^{NAME}/?\Z", door(GET=packument.read_package, PUT=publish.write_package)),
    re_path(rf"^{NAME}/-rev/(?P<rev>[^/]+)/?\Z", door(PUT=unpublish.write_revision, DELETE=unpublish.remove_package)),
    re_path(rf"^{NAME}/-/{FILE}/-rev/(?P<rev>[^/]+)/?\Z", door(DELETE=unpublish.remove_file)),
    re_path(rf"^{NAME}/-/{FILE}\Z", door(GET=files.read_file)),
    re_path(rf"^{ELSEWHERE}{NAME}/-/{FILE}\Z", door(GET=files.read_file)),
    re_path(rf"^{NAME}/(?P<wanted>(?!-)[^/]+)/?\Z", door(GET=packument.read_version)),
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
    re_path(rf"^-/package/{NAME}/trust(?:/[^/]+)?/?\Z", every(later.trust)),
    re_path(r"^-/stage(?:/.*)?\Z", every(later.stage)),
    re_path(r"^-/npm/v1/hooks(?:/.*)?\Z", every(later.hooks)),
    re_path(rf"^-/package/{NAME}/access/?\Z", door(GET=access.read_status, POST=access.write_status)),
    re_path(rf"^-/package/{NAME}/visibility/?\Z", door(GET=access.read_status)),
    re_path(rf"^-/package/{NAME}/collaborators/?\Z", door(GET=access.read_collaborators)),
    re_path(rf"^-/package/{NAME}/owners/?\Z", door(PUT=owners.add_owner)),
    re_path(rf"^-/package/{NAME}/owners/(?P<username>{WORD})/?\Z", door(DELETE=owners.remove_owner)),
    re_path(rf"^-/org/{ORG}/user/?\Z", door(GET=orgs.read_members, PUT=orgs.write_member, DELETE=orgs.delete_member)),
    re_path(rf"^-/org/{ORG}/team/?\Z", door(GET=orgs.read_teams, PUT=orgs.add_team)),
    re_path(rf"^-/org/{ORG}/package/?\Z", door(GET=access.read_packages_of_org)),
    re_path(rf"^-/team/{ORG}/{TEAM}/?\Z", door(DELETE=orgs.delete_team)),
    re_path(rf"^-/team/{ORG}/{TEAM}/user/?\Z", door(GET=orgs.read_team, PUT=orgs.add_to_team, DELETE=orgs.remove_from_team)),
    re_path(
        rf"^-/team/{ORG}/{TEAM}/package/?\Z",
        door(GET=access.read_packages_of_team, PUT=access.write_grant, DELETE=access.delete_grant),
    ),
    re_path(rf"^-/user/(?P<username>{WORD})/package/?\Z", door(GET=access.read_packages_of_user)),
    re_path(r"^-/-/package/?\Z", door(GET=access.read_packages_of_caller)),
    re_path(r"^-/user/v1/star/?\Z", door(GET=stars.read_own_stars, PUT=stars.star_named, DELETE=stars.star_named)),
    re_path(rf"^-/user/package/{NAME}/star/?\Z", door(PUT=stars.star_addressed, DELETE=stars.star_addressed)),
    re_path(rf"^-/(?:util/)?user/(?P<username>{WORD})/stars/?\Z", door(GET=stars.read_stars_of)),
    re_path(r"^-/_view/starredByUser/?\Z", door(GET=stars.read_stars)),
    re_path(r"^-/npm/v1/keys/?\Z", door(GET=signatures.read_keys)),
    re_path(rf"^-/npm/v1/attestations/{NAME}@(?P<version>[^/@]+)\Z", door(GET=signatures.read_attestations)),
    re_path(r"^-/v1/search/?\Z", door(GET=search.read_search)),
    re_path(r"^-/all(?:/.*)?\Z", every(search.read_all)),
    re_path(r"^-/npm/v1/security/advisories/bulk/?\Z", door(POST=audit.read_advisories)),
    re_path(r"^-/npm/v1/security/audits(?:/quick)?/?\Z", door(POST=audit.read_report)),
    re_path(r"^-(?:/(?P<rest>.*))?\Z", every(absent.absent)),
    re_path(r"^(?P<rest>.*)\Z", every(absent.absent)),
]
