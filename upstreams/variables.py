"""`${NAME}` in an upstream's credentials: stored as it is written, expanded at the moment of asking, never again after that.

What a name stands for depends on who saved the upstream:
- `${UPSTREAM_…}` of one that an operator saved is the environment of the process that asks (`settings.UPSTREAM_VARIABLES`);
- every other name is a secret of the workspace;
- inside `shell_variables()`, which only commands of an operator's shell enter, an upstream that an operator saved may
  name any variable of that shell; where the shell has none of the name it is a secret of the workspace.

Nothing of the environment is ever looked at for an upstream that anybody else saved.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings

from upstreams.clients.secrecy import SECRETS
from upstreams.errors import VariableUnset, VariableUnusable
from upstreams.models import Upstream
from workspaces.models import Secret
from workspaces.seal import SealBroken
from workspaces.services.secrets import OPERATORS, opened

BEGIN = "${"
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,127})\}")
ALONE = re.compile(rf"({VARIABLE.pattern})+")


class _Shell:
    """How many `with shell_variables()` this process is inside of: its threads ask upstreams too."""

    depth = 0


@contextlib.contextmanager
def shell_variables() -> Iterator[None]:
    """Let upstreams that an operator saved name any variable of this process's environment.

    For commands that a person gives at a shell of the installation (`manage.py mirror`, `sources`), and for the whole
    process with all its threads. Never entered by the web server or a worker: their environment holds what nobody may name.
    """
    _Shell.depth += 1
    try:
        yield
    finally:
        _Shell.depth -= 1


def reads_shell() -> bool:
    """Whether this process is a command at an operator's shell."""
    return _Shell.depth > 0


def names_in(*texts: str) -> list[str]:
    """The names of the variables in these texts, each once, in order."""
    return list(dict.fromkeys(found[1] for text in texts for found in VARIABLE.finditer(text)))


def is_well_formed(text: str) -> bool:
    """Whether every `${` in it begins a variable."""
    return text.count(BEGIN) == len(VARIABLE.findall(text))


def shown(text: str) -> str:
    """The text if it is nothing but variables, for it gives no secret away; else ''."""
    return text if ALONE.fullmatch(text) else ""


def expanded(upstream: Upstream, *texts: str, in_header: bool = True) -> list[str]:
    """The texts with every `${NAME}` replaced, once: a value that holds `${…}` itself stays as it is.

    `in_header`: they go into a header of HTTP, which carries no line breaks; a private key of SSH has many.

    Raises VariableUnset and VariableUnusable, which name the variable; nobody has been asked by then.
    """
    names = names_in(*texts)
    if not names:
        return list(texts)
    values = _values(upstream, names)
    for name in names:
        _check(upstream, name, values, in_header=in_header)
    SECRETS.learn(*values.values())
    return [VARIABLE.sub(lambda found: values[found[1]], text) for text in texts]


def _values(upstream: Upstream, names: Sequence[str]) -> dict[str, str]:
    """What is known of the names, from where each may be read."""
    found = _of_environment(upstream, names)
    wanted = [name for name in names if name not in found and not name.startswith(OPERATORS)]
    if wanted:
        for secret in Secret.objects.filter(workspace_id=upstream.registry.workspace_id, name__in=wanted):
            try:
                found[secret.name] = opened(secret)
            except SealBroken as error:
                sentence = f"Upstream {upstream.name}: ${{{secret.name}}} cannot be read, for {error}."
                raise VariableUnusable(sentence, upstream=upstream.name) from None
    return found


def _of_environment(upstream: Upstream, names: Sequence[str]) -> dict[str, str]:
    if not upstream.is_operators:
        return {}
    allowed: Mapping[str, str] = settings.UPSTREAM_VARIABLES
    if reads_shell():
        allowed = {**allowed, **os.environ}
    return {name: allowed[name] for name in names if name in allowed and (reads_shell() or name.startswith(OPERATORS))}


def _check(upstream: Upstream, name: str, values: Mapping[str, str], *, in_header: bool) -> None:
    """A value there is, of characters that can be sent."""
    value = values.get(name, "")
    if not value:
        sentence = f"Upstream {upstream.name} was not asked: ${{{name}}} in its credentials is not set{_where(upstream, name)}."
        raise VariableUnset(sentence, upstream=upstream.name)
    if not (value if in_header else value.replace("\n", "")).isprintable():
        sentence = (
            f"Upstream {upstream.name} was not asked: ${{{name}}} in its credentials holds a line break or another control character."
        )
        raise VariableUnusable(sentence, upstream=upstream.name)


def _where(upstream: Upstream, name: str) -> str:
    """Where it was looked for, and by what it would be found."""
    secrets = " among the secrets of the workspace"
    if name.startswith(OPERATORS):
        if not upstream.is_operators:
            return ": a variable of the environment counts where an operator of the installation saved the upstream"
        return " in this shell's environment" if reads_shell() else " in the environment that this process began with"
    if not upstream.is_operators:
        return secrets + ("; this shell's environment counts where an operator saved the upstream" if reads_shell() else "")
    if reads_shell():
        return f" in this shell's environment or{secrets}"
    return f"{secrets}; of their environment web servers and workers read UPSTREAM_… alone"
