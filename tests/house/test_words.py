"""What a page says can be said in another language: every word of the templates, forms and messages is marked for gettext."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
VIEWS = sorted((ROOT / "web").rglob("*.py"))
MARKED = re.compile(r"{%\s*blocktrans\b.*?{%\s*endblocktrans\s*%}|{%\s*comment\b.*?{%\s*endcomment\s*%}", re.DOTALL)
CODE = re.compile(r"<(code|pre|svg|kbd|script|style)\b.*?</\1>", re.DOTALL)
TAGS = re.compile(r"{% block current %}\w+|{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
SPOKEN = re.compile(r'(?<=\s)(?:aria-label|title|placeholder|alt|data-confirm|data-text|data-yes)=("[^"]*"|\'[^\']*\')')
WORD = re.compile(r"[^\W\d_]{2,}")
OWN = {"Gatehouse", "npm", "moon", "GitHub", "MoonBit", "REST", "API", "HTTP", "CSV", "JSON", "UTC", "ms"}  # alike in every language
SAID = {"label", "help_text", "title", "text", "act", "fold_title"}  # keyword arguments that a page shows


def unmarked(template: str) -> list[str]:
    """Words of a template that stand there plainly."""
    plain = TAGS.sub(" ", CODE.sub(" ", MARKED.sub(" ", template)))
    plain = plain.replace("&nbsp;", " ").replace("&amp;", " ").replace("&lt;", " ").replace("&gt;", " ")
    spoken = " ".join(SPOKEN.findall(plain))
    return [word for word in WORD.findall(re.sub(r"<[^>]*>", " ", plain) + spoken) if word not in OWN]


def plain_words(source: str) -> list[str]:
    """Literal sentences given to `messages.…` or as a keyword that a page shows."""
    found = []
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        is_message = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "messages"
        given = [word.value for word in call.keywords if word.arg in SAID] + (call.args[1:2] if is_message else [])
        for value in given:
            literal = value.values[0] if isinstance(value, ast.JoinedStr) and value.values else value
            if isinstance(literal, ast.Constant) and isinstance(literal.value, str) and WORD.search(literal.value):
                found.append(f"line {call.lineno}: {literal.value}")
    return found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_every_word_of_a_template_is_marked(template: Path) -> None:
    assert unmarked(template.read_text()) == []


@pytest.mark.parametrize("module", VIEWS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_sentence_of_a_view_is_marked(module: Path) -> None:
    assert plain_words(module.read_text()) == []


def test_the_checks_can_fail() -> None:
    assert unmarked('<p title="Hello">{% trans "x" %} world <code>npm</code></p>') == ["world", "Hello"]
    assert plain_words('messages.success(request, "Done")\nForm(label="Name")\nForm(label=_("Name"))') == ["line 1: Done", "line 2: Name"]
