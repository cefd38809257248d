"""Who holds a token, in one statement: it is asked with every request that is not answered by the hot path."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from tokens.grants import TokenFacts
from workspaces import statements
from workspaces.access import Role

HOLDER = (
    "SELECT t.id, t.name, t.read_only, CAST(t.registries AS TEXT), CAST(t.scopes AS TEXT), CAST(t.cidrs AS TEXT), t.expires_at,"
    " t.workspace_id, t.role, u.id, u.username, u.is_active, u.is_superuser, m.workspace_id, m.role"
    " FROM tokens_token t LEFT JOIN workspaces_user u ON u.id = t.owner_id"
    " LEFT JOIN workspaces_membership m ON m.user_id = u.id AND m.is_active WHERE t.secret_hash = %s"
)
FACTS, SERVICE, PERSON = 7, 9, 13  # columns up to which they go


@dataclass(frozen=True, slots=True)
class Holder:
    """A token and whose it is: a person with their roles, or (`user_id` None) a service of one workspace."""

    facts: TokenFacts
    roles: Mapping[int, Role]
    user_id: int | None = None
    username: str = ""
    is_active: bool = True
    is_operator: bool = False


def holder_of(secret_hash: str) -> Holder | None:
    """The token of that hash, over or not."""
    rows = statements.rows(HOLDER, [secret_hash])
    if not rows:
        return None
    facts, (service_of, service_role) = _facts(*rows[0][:FACTS]), rows[0][FACTS:SERVICE]
    user_id, username, is_active, is_operator = rows[0][SERVICE:PERSON]
    if user_id is None:
        return Holder(facts, {service_of: Role(service_role)})
    roles = {workspace_id: Role(role) for workspace_id, role in (row[PERSON:] for row in rows) if workspace_id is not None}
    return Holder(facts, roles, user_id, username, bool(is_active), bool(is_operator))


def _facts(
    token_id: int, name: str, read_only: object, registries: object, scopes: object, cidrs: object, expires_at: object
) -> TokenFacts:
    return TokenFacts(token_id, name, bool(read_only), _json(registries), _json(scopes), _json(cidrs) or (), _moment(expires_at))


def _json(value: object) -> Any:
    return orjson.loads(value) if isinstance(value, str) else None


def _moment(value: object) -> datetime | None:
    """SQLite gives times without their zone, which is UTC."""
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
