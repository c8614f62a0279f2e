"""Every command in the README and in docs/ is run by a test, or says why it is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.readme import PLAYED, ROOT, blocks, screens

PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"))
)

# `sh` blocks list commands that another test runs; test_readme.py says which.
LISTS = ("README.md",)


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_played_or_say_why_not(page: str) -> None:
    unaccounted = [
        block.body
        for block in blocks(page)
        if block.kind in ("sh", "bash", "shell", "console")
        and not block.not_run
        and not (block.kind == "console" and page in PLAYED)
        and not (block.kind == "sh" and page in LISTS)
    ]
    assert unaccounted == [], "play it (PLAYED), or write `<!-- not run: why -->` above it"


@pytest.mark.parametrize("page", PLAYED)
def test_a_played_page_has_screens(page: str) -> None:
    shown = [s for b in blocks(page) if b.kind == "console" for s in screens(b.body)]
    assert any(screen.command.startswith("sandboxd ") for screen in shown)


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs" / "README.md").read_text()))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert there == listed


def test_every_room_is_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    # An old checkout keeps folders of rooms that were renamed, with nothing but compiled files in them.
    rooms = {
        path.relative_to(ROOT / "sandboxd").parts[0].removesuffix(".py")
        for path in (ROOT / "sandboxd").rglob("*.py")
    } - {"__init__", "__main__", "_data"}
    missing = sorted(room for room in rooms if f"`{room}`" not in page)
    assert missing == []


def test_every_test_that_the_threat_model_names_is_there() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text()
    for path in re.findall(r"`(tests/[^`]+)`", page):
        assert Path(ROOT / path).exists(), path
