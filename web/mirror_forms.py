"""The forms of the mirror pages."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from upstreams.services.mirroring.drivers import Options
from web.forms import NAME, PageForm


class WordsForm(PageForm):
    """What to mirror, and from where."""

    upstream = forms.ChoiceField(label=_("Upstream"))
    patterns = forms.CharField(
        label=_("Packages"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "@partner/*\nleft-pad\nreact@^18", "spellcheck": "false"}),
        help_text=_("One on each line: a pattern, a name, or a name with a version or range. Without one every version comes in."),
    )
    dependencies = forms.BooleanField(
        label=_("Follow dependencies"),
        required=False,
        help_text=_("Also what the versions depend on, as a client would choose it, from wherever the rule lets it come."),
    )

    def __init__(self, *args: object, upstreams: Sequence[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["upstream"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 - declared above
        choice.choices = [(name, name) for name in upstreams]

    def lines(self) -> list[str]:
        """The patterns, one of each line."""
        return [line.strip() for line in self.cleaned_data["patterns"].splitlines() if line.strip()]


class MirrorForm(WordsForm):
    """A job to order."""

    lock = forms.FileField(
        label=_("Lock file"),
        required=False,
        help_text=_(
            "package-lock.json, pnpm-lock.yaml or yarn.lock: exactly the versions it lists come in."
            " Up to 1 MB; a larger one by REST or manage.py mirror."
        ),
    )

    def options(self, *, has_lock: bool) -> Options:
        """As the service takes them."""
        return Options(dependencies=self.cleaned_data["dependencies"], anywhere=has_lock)


class ScheduleForm(WordsForm):
    """A job to order again and again."""

    every = forms.CharField(
        label=_("Every"),
        widget=forms.TextInput(attrs={**NAME.attrs, "placeholder": "1d"}),
        help_text=_("30m, 6h, 1d, or five cron fields in UTC: 15 3 * * mon-fri."),
    )

    def options(self) -> Options:
        """As the service takes them."""
        return Options(dependencies=self.cleaned_data["dependencies"])
