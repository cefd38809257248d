"""A read-me as a page shows it: markdown made HTML, and of that only what cannot do anything.

Pictures are not loaded: an address of a stranger's would learn who reads what (threat W1). Their text stands for them.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, unquote

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.tasklists import tasklists_plugin

LIMIT = 256 * 1024  # characters that are shown; the longest in use have a third of that
PREFIX = "readme-"  # of ids, so that none of them is one of the page's own
IN_LINK, SLUGS = "gatehouse.in_link", "gatehouse.slugs"  # kept beside a text while it is rendered
MOST_HTML = 5000  # angle brackets in one text whose HTML is taken for such; deep nests take the sanitiser a second for 10,000
MARKDOWN = re.compile(r"(?i)(^readme|\.(md|mkd|mkdn|markdown))$")
TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "center", "code", "dd", "del", "details", "div", "dl", "dt", "em"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "input", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp"),
    *("small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "tt"),
    *("u", "ul", "var"),
}
ATTRIBUTES = {"a": {"href", "title", "id", "name"}, "ol": {"start"}, "td": {"align"}, "th": {"align"}, "details": {"open"}} | {
    f"h{level}": {"id"} for level in range(1, 7)
}


def is_markdown(filename: str) -> bool:
    """Whether a file is read as markdown, by its name."""
    return MARKDOWN.search(filename) is not None


def render_readme(filename: str, text: str, files: str = "") -> SafeString:
    """The HTML of a read-me; plain text where it is no markdown. Links to other files of the package lead below `files`, if given."""
    if not is_markdown(filename):
        return mark_safe(f'<pre class="plain-text" tabindex="0">{escape(text[:LIMIT])}</pre>')  # noqa: S308 - escaped right here
    return mark_safe(_rendered(text[:LIMIT], files))  # noqa: S308 - what is left of it by nh3


@lru_cache(maxsize=32)
def _rendered(text: str, files: str) -> str:
    markdown = WITH_HTML if text.count("<") <= MOST_HTML else WITHOUT
    return nh3.clean(
        markdown.render(text),
        tags=TAGS,
        clean_content_tags={"script", "style"},
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        url_relative=lambda url: _led(url, files),
        link_rel="noopener noreferrer nofollow",
        tag_attribute_values={"input": {"type": {"checkbox"}, "disabled": {"disabled", ""}, "checked": {"checked", ""}}},
        set_tag_attribute_values={"input": {"disabled": "", "type": "checkbox", "aria-label": "done or not"}},
        id_prefix=PREFIX,
    )


def _led(url: str, files: str) -> str | None:
    """Where a relative address leads: within the page, or to a file of the package; None for nowhere."""
    if url.startswith("#"):
        return f"#{PREFIX}{url[1:]}"
    path = posixpath.normpath(unquote(url.partition("#")[0].partition("?")[0])).lstrip("/")
    return f"{files}{quote(path)}" if files and path not in {"", "."} and not path.startswith("..") else None


class _Renderer(RendererHTML):
    """Headings a level lower, since the page has its own; a picture's text for the picture."""

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """The heading's start tag, with the id that tables of contents link to."""
        tokens[idx].tag = _lower(tokens[idx].tag)
        slug = re.sub(r"[^\w\- ]", "", tokens[idx + 1].content.strip().lower()).replace(" ", "-")[:200]
        seen = env.setdefault(SLUGS, Counter())
        tokens[idx].attrSet("id", f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
        return self.renderToken(tokens, idx, options, env)

    def heading_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Its end tag."""
        tokens[idx].tag = _lower(tokens[idx].tag)
        return self.renderToken(tokens, idx, options, env)

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A link's start tag; links do not nest (CommonMark, section 6.3)."""
        env[IN_LINK] = True
        return self.renderToken(tokens, idx, options, env)

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Its end tag."""
        env[IN_LINK] = False
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """The text that stands for a picture; a link to it, unless it is in a link already."""
        said = escape(self.renderInlineAsText(tokens[idx].children or [], options, env)) or "…"
        return said if env.get(IN_LINK) else f'<a href="{escape(str(tokens[idx].attrGet("src") or ""))}">{said}</a>'


def _lower(tag: str) -> str:
    return f"h{min(6, int(tag[1]) + 1)}"


def _markdown(*, html: bool) -> MarkdownIt:
    return MarkdownIt("gfm-like", {"html": html, "linkify": True}, renderer_cls=_Renderer).use(tasklists_plugin)


WITH_HTML, WITHOUT = _markdown(html=True), _markdown(html=False)
