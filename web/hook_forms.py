"""The forms of webhooks."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms import NAME, PageForm

EVENTS = (
    ("publish", _("Publish: a version was published, uploaded or pushed")),
    ("pull", _("Pull: a version came in from an upstream (many, with every install of something new)")),
    ("delete", _("Delete: a version or package was deleted")),
    ("flag", _("Flag: “Internal” changed, or a version was deprecated or withdrawn")),
    ("alert", _("Alert: something that somebody should look at")),
    ("job", _("Job: a mirror job ended")),
)


class WebhookForm(PageForm):
    """An address, and what it is told of."""

    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        widget=forms.URLInput(attrs={**NAME.attrs, "placeholder": "https://ci.example.org/hooks/gatehouse"}),
        help_text=_("It is sent a POST for each event. Use https: what is sent names your packages."),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell it of"), choices=EVENTS, widget=forms.CheckboxSelectMultiple, initial=["publish", "delete", "flag", "alert"]
    )


class WebhookChangeForm(WebhookForm):
    """The same of one that is there."""

    active = forms.BooleanField(
        label=_("Switched on"),
        required=False,
        help_text=_("Switched off, it is sent nothing more, not even what waits; switched on again, it is told what happens from then on."),
    )
