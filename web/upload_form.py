"""The form that publishes a file."""

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms import NAME, PageForm


class UploadForm(PageForm):
    """A tarball, and the tag that shall point at what is in it."""

    file = forms.FileField(
        label=_("Tarball"),
        allow_empty_file=True,
        max_length=512,
        help_text=_("A .tgz as npm pack makes it. Its package.json says what it is called and which version it is."),
        widget=forms.ClearableFileInput(attrs={"accept": ".tgz,.tar.gz,application/gzip"}),
    )
    tag = forms.CharField(label=_("Tag"), max_length=128, initial="latest", widget=NAME, help_text=_("What installs without a number get."))
