"""The style sheets: small files, in one order on every page that has them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHEETS = ROOT / "web" / "static" / "web"


def test_no_sheet_is_longer_than_a_file_may_be() -> None:
    """The house's 300 lines hold for styles too."""
    lengths = {sheet.name: len(sheet.read_text().splitlines()) for sheet in SHEETS.glob("*.css")}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_pages_link_the_tokens_first() -> None:
    """tokens.css tells the order of the layers: it has to come before every other sheet."""
    for template in ("base.html", "bare.html"):
        linked = re.findall(r"static 'web/(\w+\.css)'", (ROOT / "templates" / template).read_text())
        assert linked[:2] == ["tokens.css", "app.css"], template
    assert (SHEETS / "tokens.css").read_text().startswith("@layer reset, tokens, base, layout, parts;")
