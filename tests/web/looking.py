"""What a browser complains of, and whether a page meets WCAG's machine-checkable rules."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def trouble_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda line: found.append(line.text) if line.type == "error" and "404" not in line.text else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("dialog", lambda dialog: found.append(dialog.message))
    return found


def violations(page: Page) -> str:
    """What axe finds on the page as it stands; nothing is ''."""
    result = Axe().run(page, options={"runOnly": TAGS})
    return str(result.generate_report()) if result.violations_count else ""
