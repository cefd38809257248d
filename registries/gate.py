"""The one gate. Every door begins here: the registry fetched and the caller authorised in one step."""

from dataclasses import replace

from registries.addressed import registry_at
from registries.models import Alias, Registry
from registries.selectors import is_restricted
from workspaces.access import ALL, Action, Actor, Target
from workspaces.errors import Denied, Moved, NotFound, Unauthenticated

WRITING = frozenset({Action.PUBLISH, Action.MAINTAIN, Action.DELETE})
SENTENCES = {
    Action.READ: "read this",
    Action.STAR: "star this",
    Action.PUBLISH: "publish here",
    Action.MAINTAIN: "say who may write or see this package",
    Action.DELETE: "delete here",
    Action.MANAGE: "manage this registry",
    Action.OWN: "change this workspace",
}


class RegistryNotFound(NotFound):
    """No such registry, or none the caller may know of."""

    code = "registry_not_found"


class RegistryMoved(Moved):
    """The registry was renamed and asked for by a former slug, by somebody who may do there what they asked."""

    code = "registry_moved"

    def __init__(self, registry: Registry, former: str) -> None:
        super().__init__(f"The registry “{former}” is called “{registry.slug}” now.")
        self.registry, self.former = registry, former


class RegistryArchived(Denied):
    """The registry is archived: it is read, and nothing in it is written, by nobody."""

    code = "registry_archived"


class SignInNeeded(Unauthenticated):
    """Nobody asked, and the registry is not public (or does not exist: the two look alike)."""

    code = "unauthenticated"


class NameNotFound(NotFound):
    """A restricted name: said exactly as of one that does not exist."""

    code = "package_not_found"


def registry_for(actor: Actor, workspace: str, registry: str, action: Action, target: Target = ALL) -> Registry:
    """The registry `{workspace}/{registry}`, if `actor` may do `action` on `target` there.

    Raises SignInNeeded (anonymous at anything not public, existing or not), RegistryNotFound
    (strangers, and tokens held to other registries), NameNotFound (a restricted package of a public registry),
    Denied (may know, may not do) and, for those who may, RegistryMoved when `registry` is a slug it had
    before, RegistryArchived when nobody writes there.
    """
    found = _found(workspace, registry)
    if found is None or not actor.knows(found):
        if actor.is_anonymous:
            raise SignInNeeded("This registry needs a login. Run npm login, or send a token.")
        raise RegistryNotFound(f"There is no registry “{workspace[:40]}/{registry[:40]}”.")
    if found.is_public and actor.role_in(found.workspace_id) is None and is_restricted(found, target):
        target = replace(target, is_restricted=True)
    if not actor.may(action, found, target):
        if target.is_restricted and action is Action.READ and actor.may(action, found, replace(target, is_restricted=False)):
            raise NameNotFound(f"There is no package {target.name} in {found}.")
        if actor.is_anonymous:
            raise SignInNeeded("This needs a login. Run npm login, or send a token.")
        raise Denied(f"{actor.name or 'This token'} may not {SENTENCES[action]}: the role or the token does not allow it.")
    if found.slug != registry:
        raise RegistryMoved(found, registry)
    if found.is_archived and action in WRITING:
        raise RegistryArchived(f"{found} is archived: what is in it stays installable, and nothing is written. An admin can open it again.")
    return found


def registry_for_upload(actor: Actor, workspace: str, registry: str, format: str) -> Registry:  # noqa: A002 - the field's own word
    """The gate before the name is known: the role must allow publishing; scopes are asked again with the name."""
    registry_for(actor, workspace, registry, Action.READ, Target(format))
    if actor.grant is not None and actor.grant.scopes is not None:
        actor = replace(actor, grant=replace(actor.grant, scopes=None))
    return registry_for(actor, workspace, registry, Action.PUBLISH)


def _found(workspace: str, slug: str) -> Registry | None:
    """By its slug, else by one it had before."""
    found = registry_at(workspace, slug)
    if found is not None:
        return found
    alias = Alias.objects.select_related("registry__workspace").filter(workspace__slug=workspace, slug=slug).first()
    return alias.registry if alias is not None else None
