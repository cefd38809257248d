"""What holds for the whole tree: nothing of this machine or of a public registry in it, doors that do not write, templates that compile."""

import ast
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from tests.parts import ROOT
from upstreams.tasks import STALE_AFTER, sweep_files

# Built from parts, so that this file does not hold them either.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("npmmirror", "com"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("crates", "io"),
        ("docker", "io"),
        ("ghcr", "io"),
    )
]
HERE = ["/".join(("", *parts)) for parts in (("work", "main"), ("work", "shared"), ("root", ""), ("opt", "pypi"))]
WRITES = frozenset({"create", "get_or_create", "update_or_create", "bulk_create", "bulk_update"})


def committed() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".mo", ".ico"}:
            yield name, path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git clone")
def test_no_public_registry_and_no_path_of_this_machine_is_committed() -> None:
    pattern = re.compile("|".join(re.escape(word) for word in (*REGISTRIES, *HERE)))
    found = [f"{name}: {hit.group()}" for name, text in committed() for hit in pattern.finditer(text)]
    assert found == []


def test_every_requirement_is_pinned_and_names_no_index() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
        wrong = [
            line for line in lines if line and line != "-r requirements.txt" and not re.match(r"[\w.-]+(\[[\w,]+\])?==[\w.]+( ;.*)?$", line)
        ]
        assert wrong == [], name


@pytest.mark.parametrize("door", ["api", "protocols", "web"])
def test_a_door_never_writes_through_the_orm(door: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} .{node.func.attr}()"
        for path in sorted((ROOT / door).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _writes(node)
    ]
    assert found == []


def _writes(call: ast.Call) -> bool:
    """`Model.objects.create(…)`, or `.update(…)`/`.delete()` at the end of a query."""
    assert isinstance(call.func, ast.Attribute)
    chain = ast.unparse(call.func.value)
    return ".objects" in chain and call.func.attr in WRITES | {"update", "delete"}


def test_every_template_compiles() -> None:
    call_command("check_templates")


def test_a_broken_template_is_named(tmp_path: Path, settings: pytest.FixtureRequest) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "broken.html").write_text("{% if %}")
    settings.BASE_DIR = tmp_path  # type: ignore[attr-defined]
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [tmp_path / "templates"]}]  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match=r"templates/broken\.html"):
        call_command("check_templates")


def test_the_sweep_takes_only_what_nobody_writes_any_more() -> None:
    now = time.time()
    for folder in ("staging", "spool"):
        for name, age in (("old.part", STALE_AFTER + 60), ("new.part", 60)):
            path = Path(settings.DATA_DIR, folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x")
            os.utime(path, (now - age, now - age))
    assert sweep_files(now - STALE_AFTER) == 2
    assert sweep_files(now - STALE_AFTER) == 0
    for folder in ("staging", "spool"):
        kept = Path(settings.DATA_DIR, folder, "new.part")
        assert kept.exists()
        kept.unlink()
