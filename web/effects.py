"""What ticking or unticking *Internal* would do, in words, from what is known here: nobody is asked about a name."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packages.models import Package, Version
from web import reads


def effect_of(here: Package, shown: Version, *, wanted: bool) -> str:
    """The consequences of the version's box being ticked (`wanted`), or not."""
    others = Version.objects.filter(package=here, is_internal=True).exclude(pk=shown.pk).count()
    elsewhere = reads.is_internal_elsewhere(here)
    return " ".join(_ticked(here, shown, others=others, elsewhere=elsewhere) if wanted else _unticked(here, shown, others, elsewhere))


def _ticked(here: Package, shown: Version, *, others: int, elsewhere: bool) -> list[str]:
    if others or elsewhere:
        said = [_("The name is internal already, so nothing changes in who is asked about it.")]
    else:
        said = [
            _("From then on no public source is asked about %(name)s: not for versions, files, searches or audits.") % {"name": here.name}
        ]
        pulled = Version.objects.filter(package=here, is_internal=False, origin=Version.Origin.PULLED).exclude(pk=shown.pk).count()
        if pulled:
            told = ngettext("%(n)d version that was pulled is hidden.", "%(n)d versions that were pulled are hidden.", pulled)
            said.append(told % {"n": pulled})
    if shown.origin == Version.Origin.PULLED:
        said.append(_("This version is offered to clients."))
    return said


def _unticked(here: Package, shown: Version, others: int, elsewhere: bool) -> list[str]:  # noqa: FBT001 - what is known
    if others or elsewhere:
        said = ngettext("%(n)d other version is internal", "%(n)d other versions are internal", others) % {"n": others}
        why = _("another registry of the workspace has internal versions of it") if not others else said
        told = [_("The name stays internal: %(why)s.") % {"why": why}]
        return [*told, _("This version is hidden from clients.")] if shown.origin == Version.Origin.PULLED else told
    return [consequence(here)]


def consequence(here: Package) -> str:
    """What follows from unticking the last internal version, in words."""
    claim = reads.claim_for(here.registry.workspace, here.name)
    if claim:
        return _("The name stays internal all the same, because the claim %(pattern)s covers it.") % {"pattern": claim.pattern}
    if reads.is_internal_elsewhere(here):
        return _("The name stays internal all the same, because another registry of this workspace holds an internal version of it.")
    sources = reads.open_sources(reads.upstreams_of(here.registry), here.folded)
    if not sources:
        return _("%(name)s becomes a public name. No public upstream is asked for it here today; one that is added later will be.") % {
            "name": here.name
        }
    return _("%(name)s may then be fetched from %(sources)s, by whoever installs it here, under any version published there.") % {
        "name": here.name,
        "sources": ", ".join(sources),
    }


def is_last_internal(here: Package, shown: Version) -> bool:
    """Whether no other internal version of the package would be left."""
    return not Version.objects.filter(package=here, is_internal=True).exclude(pk=shown.pk).exists()
