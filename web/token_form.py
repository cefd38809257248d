"""The form of a new token, and what people usually want of one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.models import Registry
from web.forms import NAME, ROLES, PageForm

LIVES = (("30", _("30 days")), ("90", _("90 days")), ("365", _("One year")), ("", _("Never")))
TICKED = 40  # registries that are offered with a box each
PRESETS: Mapping[str, tuple[object, Mapping[str, object]]] = {
    "developer": (_("Developer"), {"life": "90"}),
    "ci-read": (_("CI that installs"), {"name": "ci", "life": "365", "read_only": True}),
    "ci-publish": (_("CI that publishes"), {"name": "ci publish", "life": "365", "scopes": "npm:package:*:write"}),
}
PROTOCOLS = (("npm:package", "npm"), ("oci:repository", "OCI"), ("entropic:package", "Entropic"), ("moonbit:module", "MoonBit"))
RIGHTS = (("read", _("read")), ("write", _("read and publish")), ("delete", _("delete")), ("*", _("everything")))


class TokenForm(PageForm):
    """A new token. `kind` and `role` are for those who may make tokens of the workspace itself."""

    named: Mapping[str, int] = {}

    name = forms.CharField(label=_("Name"), max_length=128, help_text=_("What will use it, like “ci of the shop”."), widget=NAME)
    kind = forms.ChoiceField(
        label=_("Belongs to"), choices=(("personal", _("Me")), ("service", _("The workspace (service token)"))), initial="personal"
    )
    role = forms.ChoiceField(label=_("Role of a service token"), choices=ROLES, initial="reader", required=False)
    life = forms.ChoiceField(label=_("Expires"), choices=LIVES, initial="90", required=False)
    until = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Instead of a number of days; in UTC."),
    )
    read_only = forms.BooleanField(label=_("Read-only"), required=False, help_text=_("Installs, and nothing else."))
    registries = forms.TypedMultipleChoiceField(
        label=_("Registries"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every registry its owner reaches."),
    )
    scopes = forms.CharField(
        label=_("Scopes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "npm:package:@acme/*:write"}),
        help_text=_("One per line, as protocol:type:name:action; built below. Empty: everything its owner may do."),
    )
    cidrs = forms.CharField(
        label=_("Addresses it may be used from"),
        required=False,
        widget=NAME.__class__(attrs={**NAME.attrs, "placeholder": "10.0.0.0/8, 192.0.2.7"}),
        help_text=_("Networks in CIDR form, separated by commas. Empty: from anywhere."),
    )

    def expires_at(self) -> datetime | None:
        """When the token ends, counted from now."""
        last, days = self.cleaned_data["until"], self.cleaned_data["life"]
        if last is not None:
            return datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=UTC)
        return timezone.now() + timedelta(days=int(days)) if days else None

    def clean_until(self) -> date | None:
        """A day to come. Raises ValidationError."""
        last: date | None = self.cleaned_data["until"]
        if last is not None and not timezone.now().date() <= last < date(9999, 1, 1):
            raise forms.ValidationError(_("That day is over."))
        return last

    def hold_to(self, registries: Sequence[Registry]) -> None:
        """Offer these registries: to tick, or, where there are too many, to be named."""
        self.named = {registry.slug: registry.pk for registry in registries}
        if len(registries) <= TICKED:
            self.fields["registries"].choices = [(registry.pk, registry.slug) for registry in registries]  # type: ignore[attr-defined]
            return
        self.fields["registries"] = forms.CharField(
            label=_("Registries"),
            required=False,
            widget=NAME,
            help_text=_("Their addresses, separated by commas. Empty: every registry its owner reaches."),
        )

    def clean_registries(self) -> list[int]:
        """Their numbers. Raises ValidationError naming one that is not there."""
        given = self.cleaned_data["registries"]
        if not isinstance(given, str):
            return list(given)
        words = given.replace(",", " ").split()
        unknown = next((word for word in words if word not in self.named), None)
        if unknown is not None:
            raise forms.ValidationError(_("There is no registry “%(name)s” here.") % {"name": unknown[:40]})
        return [self.named[word] for word in words]

    def words(self, field: str) -> list[str]:
        """The words of a field that holds several, separated by commas or white space."""
        return str(self.cleaned_data[field]).replace(",", " ").split()
