"""A name says what the thing is (`mounts`, `match`, `deadline`), not how the program came by it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[2] / "sandboxd"

PARTICIPLES = frozenset(("found", "seen", "said", "told", "kept", "made", "taken"))

# Files of the package itself are the room "".
ROOMS = ("", *sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the name of every function, class, parameter, variable and attribute it binds."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def files_of(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py") if room else folder.glob("*.py"))


def participles(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        f"{path.relative_to(PACKAGE)}:{line}: {name}"
        for line, name in names(tree)
        if name.strip("_").lower() in PARTICIPLES
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_is_a_participle(room: str) -> None:
    files = files_of(room)
    assert files
    assert [name for path in files for name in participles(path)] == []


def test_every_form_of_a_name_is_looked_at(tmp_path: Path) -> None:
    source = tmp_path / "names.py"
    source.write_text(
        "import os as _told\n"
        "class Row:\n    kept: int\n"
        "def seen(taken, *, found_at): return [made for made in taken]\n"
        "def f(self): self.said = lambda found: found\n"
    )
    tree = ast.parse(source.read_text())
    bound = {name.strip("_") for _, name in names(tree)}
    assert bound & PARTICIPLES == PARTICIPLES
    assert "found_at" in bound
