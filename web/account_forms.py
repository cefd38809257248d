"""Forms of a person's own account."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms import PageForm


class CodeForm(PageForm):
    """A code of the authenticator, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=_("Six digits from your authenticator, or one of your recovery codes."),
    )
