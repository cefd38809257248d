"""The forms of upstreams: one for each kind, over what all have."""

from collections.abc import Mapping, Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from upstreams.models import Upstream
from upstreams.services.wishes import UpstreamChanges
from web.forms import NAME, PageForm, UnseenText
from web.times import TimesForm


class SourceForm(PageForm):
    """What every kind of upstream has."""

    name = forms.CharField(label=_("Name"), widget=NAME, help_text=_("Short, like “npm” or “partner”."))
    priority = forms.IntegerField(label=_("Priority"), initial=100, help_text=_("Lower is asked first."))
    patterns = forms.CharField(
        label=_("Name patterns"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "placeholder": "@partner/*"}),
        help_text=_(
            "One per line. Empty: every name. The patterns of an internal upstream count as claims;"
            " one that signs in needs some, and none that fits every name."
        ),
    )
    enabled = forms.BooleanField(label=_("Enabled"), required=False, initial=True)

    def changes(self) -> UpstreamChanges:
        """As the service takes them."""
        data = self.cleaned_data
        patterns = tuple(data["patterns"].replace(",", " ").split())
        return UpstreamChanges(name=data["name"].strip(), priority=data["priority"], enabled=data["enabled"], patterns=patterns)


class UpstreamForm(TimesForm, SourceForm):
    """An upstream outside. An empty secret keeps what is stored."""

    field_order: tuple[str, ...] = (
        "name",
        "url",
        "priority",
        "internal",
        "patterns",
        "everything",
        "auth_type",
        "username",
        "secret",
        "allow_push",
        "enabled",
    )

    url = forms.CharField(label=_("Address"), widget=forms.URLInput(attrs={"placeholder": "https://registry.example.org"}))
    internal = forms.BooleanField(
        label=_("Internal upstream"),
        required=False,
        help_text=_("What it answers is internal: no other source is asked for those names, not even while this one is down."),
    )
    everything = forms.BooleanField(
        label=_("Yes, every name it has shall be internal"),
        required=False,
        help_text=_(
            "Without name patterns every name that is asked for from now on, and that it has, becomes internal here, and stays so"
            " when this is turned off again or the upstream is removed: no other source is asked for it until somebody lets it go."
            " Of a public registry this is hardly ever meant: give the patterns of your own names instead."
        ),
    )
    auth_type = forms.ChoiceField(label=_("Signs in with"), choices=Upstream.AuthType.choices, initial="none")
    username = forms.CharField(label=_("User name"), required=False, widget=NAME)
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "Token or password. It is stored encrypted and never shown again; leave empty to keep what is stored."
            " ${NAME} stands for a secret of the workspace, here and in the user name, and is filled in whenever the upstream is asked;"
            " ${UPSTREAM_…}, where an operator of the installation saves it, for a variable of the server's environment."
        ),
    )

    allow_push = forms.BooleanField(
        label=_("Admins may publish there"),
        required=False,
        help_text=_("You are an operator. With ${UPSTREAM_…} in the credentials only operators publish there, unless this is ticked."),
    )

    def __init__(
        self,
        data: Mapping[str, str] | None = None,
        *,
        initial: dict[str, object] | None = None,
        auto_id: str = "id_%s",
        lends: bool = False,
    ) -> None:
        super().__init__(data, initial=initial, auto_id=auto_id)
        if not lends:
            del self.fields["allow_push"]
        self.show_defaults()
        stored = initial or {}
        self.fields["everything"].initial = bool(stored.get("internal") and not stored.get("patterns"))  # said yes once already
        if stored.get("has_secret"):
            self.fields["secret"].widget.attrs["placeholder"] = stored.get("secret_shown") or _("stored")

    def clean(self) -> dict[str, object]:
        """An internal upstream without limits is asked about once more."""
        data: dict[str, object] = super().clean() or {}
        patterns = str(data.get("patterns", "")).replace(",", " ").split()
        asks_back = data.get("auth_type") == "none"  # with credentials it has to have patterns, which the service says
        if asks_back and data.get("internal") and not data.get("everything") and (not patterns or "*" in patterns):
            self.add_error("everything", _("Say yes here, or limit it by name patterns."))
        return data

    def changes(self) -> UpstreamChanges:
        """As the service takes them."""
        data = self.cleaned_data
        return UpstreamChanges(
            **super().changes(),
            kind="url",
            url=data["url"],
            internal=data["internal"],
            auth_type=data["auth_type"],
            username=data["username"].strip() if data["auth_type"] == "basic" else "",
            secret=data["secret"] or None,
            **({"allow_push": data["allow_push"]} if "allow_push" in data else {}),
            **self.times(),
        )


class GitForm(UpstreamForm):
    """A Git repository as an upstream."""

    url = forms.CharField(
        label=_("Repository"),
        widget=forms.TextInput(attrs={**NAME.attrs, "placeholder": "https://git.example.org/team/modules.git"}),
        help_text=_(
            "An address with https:// or ssh://, or git@host:path; from an operator of the installation also a path on the server."
            " Its packages are what npm pack makes of the default branch."
        ),
    )
    auth_type = forms.ChoiceField(
        label=_("Signs in with"),
        choices=Upstream.AuthType.choices,
        initial="none",
        help_text=_("Over HTTPS mostly basic: a user and an access token. Over SSH bearer, with a private key as the secret."),
    )
    secret = forms.CharField(
        label=_("Secret"),
        required=False,
        widget=UnseenText(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "Token, password, or private key without a passphrase; the host's own keys may stand behind it, as ssh-keyscan prints them."
            " It is stored encrypted and never shown again; leave empty to keep what is stored."
            " ${NAME} stands for a secret of the workspace; ${UPSTREAM_…}, where an operator of the installation saves it, for a variable"
            " of the server's environment."
        ),
    )

    def changes(self) -> UpstreamChanges:
        """As the service takes them."""
        return UpstreamChanges(**{**super().changes(), "kind": "git"})


class MoonbitForm(UpstreamForm):
    """A MoonBit registry as an upstream: an index, and packages beside it."""

    field_order = ("name", "url", "index_url", "index_type", "package_url_pattern", *UpstreamForm.field_order[2:])

    url = forms.CharField(
        label=_("Address"),
        widget=forms.URLInput(attrs={"placeholder": "https://registry.example.org"}),
        help_text=_("Credentials go to its scheme, host and port alone, with the index and with packages."),
    )
    index_url = forms.CharField(
        label=_("Index"),
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://registry.example.org/git/index"}),
        help_text=_("Empty: /git/index below the address, or the address itself for an index over HTTP."),
    )
    index_type = forms.ChoiceField(
        label=_("The index is read by"),
        choices=((Upstream.IndexType.GIT, "Git"), (Upstream.IndexType.HTTP, "HTTP")),
        initial="git",
        help_text=_("Over HTTP modules are mirrored by name only: such an index cannot be listed."),
    )
    package_url_pattern = forms.CharField(
        label=_("Where packages are"),
        required=False,
        widget=forms.TextInput(attrs={**NAME.attrs, "placeholder": "${url}/user/${username}/${name}/${version}.zip"}),
        help_text=_("Of ${url}, ${username}, ${name} and ${version}. Empty: as shown."),
    )

    def __init__(self, data: Mapping[str, str] | None = None, *, initial: dict[str, object] | None = None, auto_id: str = "id_%s") -> None:
        super().__init__(data, initial=initial, auto_id=auto_id)
        self.fields["patterns"].widget.attrs["placeholder"] = "partner/*"

    def changes(self) -> UpstreamChanges:
        """As the service takes them."""
        data = self.cleaned_data
        told = UpstreamChanges(
            format="moonbit",
            index_url=data["index_url"].strip(),
            index_type=data["index_type"],
            package_url_pattern=data["package_url_pattern"].strip(),
        )
        return UpstreamChanges(**{**super().changes(), **told})


CHOSEN = 100  # registries that a menu holds


class ChainForm(SourceForm):
    """Another registry of the workspace as an upstream."""

    field_order = ("registry", "name", "priority", "patterns", "enabled")

    registry = forms.ChoiceField(
        label=_("Registry"), help_text=_("Packages of every format; what is installed from it through this one is kept in both.")
    )

    def __init__(self, data: Mapping[str, str] | None = None, *, slugs: Sequence[str], initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)
        registry = self.fields["registry"]
        assert isinstance(registry, forms.ChoiceField)  # noqa: S101 - declared above
        if len(slugs) <= CHOSEN:
            registry.choices = [(slug, slug) for slug in slugs]
        else:  # a menu nobody finds anything in
            self.fields["registry"] = forms.CharField(
                label=_("Registry"), max_length=40, widget=NAME, help_text=_("Its address, like “main”.")
            )

    def changes(self) -> UpstreamChanges:
        """As the service takes them."""
        return UpstreamChanges(**super().changes(), kind="registry", registry=self.cleaned_data["registry"])
