"""What the words of a command at an operator's shell mean; whoever mistypes one is told what there is."""

from django.core.management.base import CommandError

from registries.models import Registry
from upstreams.models import Upstream

SHOWN = 20  # names in one sentence


def registry_at(label: str) -> Registry:
    """The registry of `workspace/registry`. Raises CommandError."""
    workspace, slash, slug = label.partition("/")
    if not slash:
        raise CommandError(f"Write the registry as workspace/registry, like {label}/main.")
    found = Registry.objects.select_related("workspace").filter(workspace__slug=workspace, slug=slug).first()
    if found is None:
        raise CommandError(f"There is no registry {label}.")
    return found


def upstream_at(registry: Registry, name: str, *, word: str = "upstream") -> Upstream:
    """The registry's upstream of that name; `word`: what the command calls one. Raises CommandError."""
    found = Upstream.objects.select_related("registry__workspace", "source").filter(registry=registry, name=name).first()
    if found is None:
        raise CommandError(f"{registry} has no {word} “{name}”; {known(registry)}.")
    return found


def known(registry: Registry) -> str:
    """Its upstreams, in the order they are asked, as a part of a sentence."""
    names = list(Upstream.objects.filter(registry=registry).order_by("priority", "id").values_list("name", flat=True))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"it has {', '.join(names[:SHOWN])}{more}" if names else "it has none"
