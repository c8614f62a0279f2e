"""All sources are Python 3.11, the oldest that is supported: newer grammar is found here."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
FOLDERS = ("benchmarks", "sandboxd", "tests", "tools")


def fault(text: str) -> str:
    """What does not parse by the grammar of the oldest Python, or ''."""
    try:
        ast.parse(text, feature_version=OLDEST)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return ""


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_source_parses_as_the_oldest_python(folder: str) -> None:
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    faults = {
        str(path.relative_to(ROOT)): fault(path.read_text(encoding="utf-8")) for path in paths
    }
    assert {path: why for path, why in faults.items() if why} == {}


@pytest.mark.parametrize(
    "text", ["type Name = str", "def first[T](of: list[T]) -> T: ...", "class Box[T]: ..."]
)
def test_newer_grammar_is_a_fault(text: str) -> None:
    assert fault(text)


def test_lint_finds_what_the_parser_cannot_see() -> None:
    """The strings of 3.12, which a newer parser cannot tell from older ones."""
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "tools/x.py", "-"]
    text = """x = {"a": 1}\nprint(f"{x["a"]}")\n"""
    done = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Python 3.11" in done.stdout


def test_all_that_name_the_oldest_python_name_this_one() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    dotted = ".".join(map(str, OLDEST))
    assert settings["project"]["requires-python"] == f">={dotted}"
    assert settings["tool"]["ruff"]["target-version"] == "py" + "".join(map(str, OLDEST))
    assert settings["tool"]["mypy"]["python_version"] == dotted
    assert f"sys.version_info < ({', '.join(map(str, OLDEST))})" in (ROOT / "dev").read_text()
