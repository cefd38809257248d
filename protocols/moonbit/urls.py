"""The addresses of MoonBit's protocol below a registry (reference/moonbit.md). Names arrive decoded: `user/acme/core/0.1.0.zip`."""

from django.urls import re_path

from protocols.moonbit.door import door
from protocols.moonbit.views import files, index

MODULE = r"(?P<mod>[^/]+/[^/]+)"
GIT = r"^git/index(?:\.git)?"

urlpatterns = [
    re_path(GIT + r"/info/refs\Z", door(GET=index.read_refs)),
    re_path(GIT + r"/git-upload-pack\Z", door(POST=index.read_pack)),
    re_path(GIT + r"/git-receive-pack\Z", door(POST=index.refuse_push)),
    re_path(rf"^user/{MODULE}/(?P<version>[^/]+)\.zip\Z", door(GET=files.read_zip)),
    re_path(rf"^user/{MODULE}\.index\Z", door(GET=index.read_lines)),
    re_path(r"^(?P<rest>.*)\Z", door(GET=files.absent)),
]
