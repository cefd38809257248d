"""The times of an upstream as a folded part of its form; empty is the installation's own."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from upstreams.services.checks import TIMES
from upstreams.services.wishes import UpstreamChanges


def _seconds(field: str, label: object, help_text: object) -> forms.IntegerField:
    least, most = TIMES[field]
    return forms.IntegerField(label=label, help_text=help_text, required=False, min_value=least, max_value=most)  # type: ignore[arg-type]


class TimesForm(forms.Form):
    """Four numbers of seconds."""

    folded: tuple[str, ...] = tuple(TIMES)
    fold_title: object = _("Times")

    negative_ttl = _seconds("negative_ttl", _("“Not here” is believed for"), _("Seconds, until it is asked anew."))
    connect_timeout = _seconds("connect_timeout", _("Time to connect"), _("Seconds."))
    read_timeout = _seconds("read_timeout", _("Time between two bytes"), _("Seconds; more for one that thinks long."))
    total_timeout = _seconds("total_timeout", _("Time for a whole answer"), _("Seconds; then it is given up."))

    def show_defaults(self) -> None:
        """What holds where a field is left empty."""
        own = {
            "negative_ttl": settings.NEGATIVE_FRESH.total_seconds(),
            "connect_timeout": settings.UPSTREAM_CONNECT_TIMEOUT,
            "read_timeout": settings.UPSTREAM_READ_TIMEOUT,
            "total_timeout": settings.UPSTREAM_TOTAL_TIMEOUT,
        }
        for field, seconds in own.items():
            self.fields[field].widget.attrs["placeholder"] = f"{seconds:g}"

    def times(self) -> UpstreamChanges:
        """As the service takes them."""
        data = self.cleaned_data
        return UpstreamChanges(
            negative_ttl=data["negative_ttl"],
            connect_timeout=data["connect_timeout"],
            read_timeout=data["read_timeout"],
            total_timeout=data["total_timeout"],
        )
