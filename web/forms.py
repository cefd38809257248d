"""The forms of the pages: they read fields and nothing else; every rule is a service's."""

from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.utils.translation import gettext_lazy as _

from workspaces.access import Role
from workspaces.errors import GatehouseError
from workspaces.services.seen import ChangedMeanwhile, Values, digest_of

ROLES = tuple((role.word, role.word) for role in Role)
VISIBILITIES = (("private", _("Private: members only")), ("public", _("Public: anybody may read")))
LONGEST = 50_000  # characters of a value that is shown again
NAME = forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"})


class UnseenText(forms.Textarea):
    """Lines that are written and never shown again, not even where the form was refused."""

    def format_value(self, value: object) -> None:
        """Nothing."""


def _told(present: Values, wanted: Values, fields: Mapping[str, forms.Field]) -> str:
    """What is there now where it is something else than what this form says."""
    other = {name: value for name, value in present.items() if name in fields and wanted.get(name) != value}
    return "; ".join(f"{fields[name].label}: {value}" for name, value in other.items()) or str(_("the same values"))


class ShownField(forms.BoundField):
    """A field as a page shows it again: what was sent, but no more of it than a person typed."""

    def value(self) -> object:
        """The value, or the beginning of one that is too long for any field."""
        value = super().value()
        return value[:LONGEST] if isinstance(value, str) else value


class PageForm(forms.Form):
    """A form that can show what a service refused. `folded`: fields that most people leave alone, below `fold_title`."""

    bound_field_class = ShownField
    seen = ""  # the digest of what its editor sees, for forms that two may have open at once
    folded: tuple[str, ...] = ()
    fold_title: object = ""

    @property
    def plain_fields(self) -> list[forms.BoundField]:
        """Those that everybody sees."""
        return [field for field in self if field.name not in self.folded]

    @property
    def folded_fields(self) -> list[forms.BoundField]:
        """The others."""
        return [field for field in self if field.name in self.folded]

    @property
    def is_unfolded(self) -> bool:
        """Something in there was set, or refused."""
        return any(field.errors or field.value() not in (None, "") for field in self.folded_fields)

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        if self.is_bound:
            self.seen = str(self.data.get("seen", ""))[:64]
        for field in self.fields.values():
            if isinstance(field, forms.ChoiceField):  # Django's sentence repeats the value, however long
                field.error_messages["invalid_choice"] = _("Choose one of those that are shown.")

    def about(self, values: Values) -> Self:
        """The same form, which knows what its editor sees; one that was sent says so itself."""
        if not self.is_bound:
            self.seen = digest_of(values)
        return self

    def refuse(self, error: GatehouseError) -> None:
        """Put the error at its field, or above the form. Of a change meanwhile: what it is now; saved again, this form holds."""
        self.is_valid()
        if isinstance(error, ChangedMeanwhile):
            said = _told(error.present, self.cleaned_data, self.fields)
            self.seen = digest_of(error.present)
            self.add_error(None, f"{error.message} {_('What is there now:')} {said}")
            return
        named = [name for name in error.fields if name in self.fields]
        self.add_error(named[0] if named else None, error.message)


SECRET_TEXT = UnseenText(attrs={"rows": 2, "autocomplete": "off", "spellcheck": "false"})


class SignInForm(PageForm):
    """User name and password."""

    username = forms.CharField(label=_("User name"), widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}))
    password = forms.CharField(label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))


class SignUpForm(PageForm):
    """What a newcomer is called here, and the address they are reached at."""

    username = forms.CharField(
        label=_("User name"),
        max_length=64,
        help_text=_("Lower-case letters, digits and dashes. It cannot be changed later."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    email = forms.CharField(
        label=_("E-mail"), required=False, max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
    )


class ProofForm(PageForm):
    """The password once more, from somebody who is signed in."""

    password = forms.CharField(label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))


class FirstPasswordForm(PageForm):
    """A password, typed twice."""

    new = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 8 characters; a sentence is best."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeat = forms.CharField(label=_("New password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean_repeat(self) -> str:
        """The same again. Raises ValidationError."""
        if self.cleaned_data["repeat"] != self.cleaned_data.get("new", self.cleaned_data["repeat"]):
            raise forms.ValidationError(_("The two are not the same."))
        return str(self.cleaned_data["repeat"])


class SignUpWithPasswordForm(FirstPasswordForm, SignUpForm):
    """A newcomer whom nobody vouches for."""

    field_order = ("username", "email", "new", "repeat")


class PasswordForm(FirstPasswordForm):
    """The current password, and a new one typed twice."""

    old = forms.CharField(label=_("Current password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))
    revoke_tokens = forms.BooleanField(
        label=_("Revoke all my tokens too"),
        required=False,
        help_text=_("If somebody else may know the old password. Builds that use them stop."),
    )
    field_order = ("old", "new", "repeat", "revoke_tokens")


class WorkspaceForm(PageForm):
    """A new workspace."""

    slug = forms.CharField(
        label=_("Address"), help_text=_("Lower-case letters, digits and dashes. It cannot be changed later."), widget=NAME
    )
    name = forms.CharField(label=_("Name"), required=False, max_length=200)


class NameForm(PageForm):
    """What a workspace is called."""

    name = forms.CharField(label=_("Name"), required=False, max_length=200, help_text=_("Shown to people. The address stays."))


class RegistryForm(PageForm):
    """A new registry."""

    slug = forms.CharField(label=_("Address"), help_text=_("Lower-case letters, digits and dashes."), widget=NAME)
    description = forms.CharField(label=_("Description"), required=False, max_length=500)
    internal = forms.BooleanField(
        label=_("Internal registry"),
        required=False,
        initial=True,
        help_text=_("What is published here is internal: no public source is ever asked for it."),
    )
    visibility = forms.ChoiceField(label=_("Visibility"), choices=VISIBILITIES, initial="private")


class SettingsForm(PageForm):
    """A registry's settings."""

    description = forms.CharField(label=_("Description"), required=False, max_length=500)
    internal = forms.BooleanField(
        label=_("Internal registry"),
        required=False,
        help_text=_("What is published here from now on is internal: no public source is asked for it. Earlier versions keep their flag."),
    )
    visibility = forms.ChoiceField(label=_("Visibility"), choices=VISIBILITIES)
    default = forms.BooleanField(
        label=_("Default registry of the workspace"), required=False, help_text=_("Used where a client's address names no registry.")
    )
    search_upstream = forms.BooleanField(
        label=_("Search public upstreams too"),
        required=False,
        help_text=_(
            "What people search for is then sent to public upstreams, unless a word of it meets a claim or the name of an internal package."
        ),
    )
    audit_upstream = forms.BooleanField(
        label=_("Audit with public upstreams"),
        required=False,
        help_text=_(
            "npm audit then sends names and versions of public packages to the upstream they come from."
            " Internal and claimed names never leave, nor does anything else of a project."
        ),
    )


class SlugForm(PageForm):
    """Another slug for a registry. A page that shows two of them tells their ids apart by `auto_id`."""

    slug = forms.CharField(label=_("New address"), help_text=_("Lower-case letters, digits and dashes."), widget=NAME)


class MemberForm(PageForm):
    """A member and a role."""

    username = forms.CharField(label=_("User name"), widget=NAME)
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial="publisher")


class InvitationForm(PageForm):
    """Whom an invitation is meant for, and as what they join."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial="publisher")
    email = forms.CharField(
        label=_("For whom"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "mona@example.org"}),
        help_text=_("An e-mail address, so that you know later whose link it is. Nothing is sent: you hand over the link yourself."),
    )


class ClaimForm(PageForm):
    """A name pattern."""

    pattern = forms.CharField(
        label=_("Pattern"), max_length=214, widget=NAME, help_text=_("Like @acme/* or acme-*; * stands for any characters, ? for one.")
    )


class SecretForm(PageForm):
    """A secret of the workspace."""

    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        widget=forms.TextInput(attrs={**NAME.attrs, "placeholder": "PARTNER_TOKEN"}),
        help_text=_("Capital letters, digits and underscores. Upstreams name it as ${PARTNER_TOKEN}."),
    )
    value = forms.CharField(label=_("Value"), strip=False, widget=SECRET_TEXT, help_text=_("Token, password, or private key for SSH."))


class SecretValueForm(PageForm):
    """Another value."""

    value = forms.CharField(
        label=_("New value"),
        strip=False,
        widget=SECRET_TEXT,
        help_text=_("It holds from the next request of an upstream on. The old one is forgotten."),
    )
