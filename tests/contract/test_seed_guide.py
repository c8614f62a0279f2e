"""The table of the installation guide leaves no line out and names tests that exist."""

from __future__ import annotations

import ast
from pathlib import Path

from tools import seed_guide

ROOT = Path(seed_guide.ROOT)


def test_every_line_is_in_a_row() -> None:
    covered: list[int] = []
    for row in seed_guide.ROWS:
        covered += range(row.first, row.last + 1)
    assert len(covered) == len(set(covered)), "a line is in two rows"
    written = {number for number, text in enumerate(seed_guide.lines(), 1) if text.strip()}
    assert written - set(covered) == set()


def test_every_test_exists() -> None:
    for row in seed_guide.ROWS:
        file, _, name = row.test.partition("::")
        tree = ast.parse((ROOT / file).read_text())
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, row.test
        assert row.verdict in ("done", "checked", "corrected", "pointer")
        assert row.does
