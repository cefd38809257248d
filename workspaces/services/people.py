"""People and their membership."""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from workspaces.access import Action, Actor, Role
from workspaces.errors import Conflict, Denied, Invalid, NotFound
from workspaces.models import Membership, User, Workspace
from workspaces.services.audit import SYSTEM, record
from workspaces.services.profile import NAME_LIMIT, check_profile
from workspaces.services.spaces import bump_rules
from workspaces.slugs import RESERVED, SLUG


class UserExists(Conflict):
    """The user name is taken."""

    code = "user_exists"


class LastOwner(Conflict):
    """A workspace keeps at least one owner."""

    code = "last_owner"


def parse_role(word: object) -> Role:
    """The role of that name. Raises Invalid."""
    try:
        return Role[str(word).upper()]
    except KeyError:
        words = ", ".join(role.word for role in Role)
        raise Invalid(f"Role must be one of {words}.", fields={"role": "unknown"}) from None


@transaction.atomic
def create_user(*, actor: Actor, username: str, email: str = "", password: str) -> User:
    """An operator creates a person. Raises UserExists, Invalid, Denied."""
    if not actor.is_operator or (actor.grant and not actor.grant.reaches_all):
        raise Denied("Only an operator of this installation creates users.")
    user = User(username=username, email=email)
    user.set_password(password)
    if not 8 <= len(password) <= 1024:  # noqa: PLR2004 - NIST SP 800-63B's minimum; a cap bounds hashing
        raise Invalid("A password has 8 to 1024 characters.", fields={"password": "length"})
    _save_new(user)
    record(actor, "user.created", username, workspace=None, new={"username": username})
    return user


@transaction.atomic
def enrol(*, username: str, email: str, full_name: str, by: str, ip: str, hashed: str = "") -> User:
    """Somebody makes an account of their own; whether they may, and the way in, is the caller's (`by`: github, password).

    `hashed`: their password, '' for none. Nobody chose the name for them, so it is a slug: one that looks like ours is
    nobody's. Raises UserExists, Invalid.
    """
    if not SLUG.fullmatch(username):
        sentence = "A user name has 1 to 40 lower-case letters, digits and dashes, and begins and ends with a letter or digit."
        raise Invalid(sentence, fields={"username": "not a name"})
    if username in RESERVED:
        raise Invalid(f"“{username}” is a word Gatehouse needs for itself; choose another name.", fields={"username": "reserved"})
    check_profile(email=email, full_name="")
    user = User(username=username, email=email.strip(), first_name=full_name[:NAME_LIMIT] if full_name.isprintable() else "")
    user.password = hashed or make_password(None)
    _save_new(user)
    record(Actor(user.pk, username, ip=ip), "user.created", username, workspace=None, new={"username": username, "by": by})
    return user


def _save_new(user: User) -> None:
    """Check its fields and save it. Raises Invalid, UserExists."""
    try:
        if user.email:
            validate_email(user.email)
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {"email": error.messages}
        first = next(iter(fields))
        raise Invalid(f"{first}: {fields[first][0]}", fields={key: values[0] for key, values in fields.items()}) from None
    if user.username == SYSTEM.name:
        raise Invalid(f"“{user.username}” is what Gatehouse calls itself; choose another name.", fields={"username": "reserved"})
    taken = UserExists(f"A user “{user.username}” exists already.", fields={"username": "taken"})
    if User.objects.filter(username=user.username).exists():
        raise taken
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # somebody was quicker by a moment
        raise taken from None


@transaction.atomic
def set_member(*, actor: Actor, workspace: Workspace, username: str, role: Role) -> Membership:
    """Add a person or change their role. Only an owner makes, changes or removes owners."""
    _may_change(actor, workspace)
    lock_people(workspace)
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Invalid(f"There is no user “{username[:64]}”.", fields={"username": "unknown"})
    member = Membership.objects.filter(workspace=workspace, user=user).first()
    old = Role(member.role) if member else None
    if Role.OWNER in {old, role}:
        _owners_only(actor, workspace)
    if member is not None and old is Role.OWNER and role is not Role.OWNER:
        _keep_an_owner(workspace, without=member)
    member, _ = Membership.objects.update_or_create(workspace=workspace, user=user, defaults={"role": role})
    old_value = {"role": old.word} if old else None
    record(actor, "member.set", username, workspace=workspace, old=old_value, new={"role": role.word})
    return member


@transaction.atomic
def remove_member(*, actor: Actor, workspace: Workspace, username: str) -> None:
    """End a membership, and with it the groups, the rights on packages and the stars that hang on it.

    Raises Denied, NotFound, LastOwner.
    """
    _may_change(actor, workspace)
    lock_people(workspace)
    member = Membership.objects.filter(workspace=workspace, user__username=username).first()
    if member is None:
        raise NotFound(f"“{username[:64]}” is not a member of this workspace.")
    if member.role == Role.OWNER:
        _owners_only(actor, workspace)
        _keep_an_owner(workspace, without=member)
    member.delete()
    bump_rules(workspace.pk)  # documents name maintainers and who starred
    record(actor, "member.removed", username, workspace=workspace, old={"role": Role(member.role).word})


@transaction.atomic
def set_active(*, actor: Actor, workspace: Workspace, username: str, active: bool) -> Membership:
    """Let a membership rest, or wake it: the person and their tokens lose what it gives with the next request, and nothing is forgotten.

    Raises Denied, NotFound, LastOwner.
    """
    _may_change(actor, workspace)
    lock_people(workspace)
    member = Membership.objects.select_related("user").filter(workspace=workspace, user__username=username).first()
    if member is None:
        raise NotFound(f"“{username[:64]}” is not a member of this workspace.")
    if member.role == Role.OWNER:
        _owners_only(actor, workspace)
    if member.is_active == active:
        return member
    if member.role == Role.OWNER and not active:
        _keep_an_owner(workspace, without=member)
    member.is_active = active
    member.save(update_fields=["is_active"])
    bump_rules(workspace.pk)  # documents name maintainers
    record(actor, "member.activated" if active else "member.deactivated", username, workspace=workspace)
    return member


@transaction.atomic
def set_user_active(*, actor: Actor, username: str, active: bool) -> User:
    """An operator shuts a person out of the whole installation, sessions and tokens included, or lets them in again.

    Raises Denied, NotFound, Conflict for oneself.
    """
    if not actor.is_operator or (actor.grant and not actor.grant.reaches_all):
        raise Denied("Only an operator of this installation does this.")
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise NotFound(f"There is no user “{username[:64]}”.")
    if user.pk == actor.user_id and not active:
        raise Conflict("You cannot shut yourself out; another operator can.")
    if user.is_active != active:
        user.is_active = active
        user.save(update_fields=["is_active"])
        record(actor, "user.activated" if active else "user.deactivated", username, workspace=None)
    return user


def _may_change(actor: Actor, workspace: Workspace) -> None:
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace change its members.")


def _owners_only(actor: Actor, workspace: Workspace) -> None:
    if not actor.may_in(workspace.pk, Action.OWN):
        raise Denied("Only an owner may make, change or remove an owner.")


def lock_people(workspace: Workspace) -> None:
    """Members, groups and what hangs on them change one at a time, inside the caller's transaction.

    Two owners who remove each other at once would leave none; a right given to somebody who is just leaving would
    outlive them. Not the key's lock: whoever only refers to the workspace (a publish's event) does not wait.
    """
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _keep_an_owner(workspace: Workspace, *, without: Membership) -> None:
    """Somebody who can sign in stays owner. Raises LastOwner."""
    owners = Membership.objects.filter(workspace=workspace, role=Role.OWNER, user__is_active=True, is_active=True)
    if not owners.exclude(pk=without.pk).exists():
        raise LastOwner("This is the workspace's last owner; make somebody else owner first.")
