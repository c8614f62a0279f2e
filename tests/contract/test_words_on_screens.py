"""What people read has one vocabulary, and what it tells them to type is a command."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.cli.main import build_parser, command_names, load_command
from sandboxd.errors import UsageError
from sandboxd.observe.control import STATES

ROOT = Path(__file__).resolve().parents[2]

OLD_WORDS = re.compile(r"\bdowngraded?s?\b|\bnot possible here\b|^note: ", re.I | re.M)
"""Words that the five states of a control have taken the place of."""

VALUE = "\0"
GENERATED = {"seed-guide.md"}
_COMMAND = re.compile(r"`(?:sudo )?(sandboxd [^`]*)`")
_WITHHELD = re.compile(r"\.\.\.|…|\||\[|<|^sandboxd COMMAND|^sandboxd --?\w|&&|;|>|^sandboxd \0")


def sources() -> list[Path]:
    return sorted((ROOT / "sandboxd").rglob("*.py"))


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that are no docstring, with its line. Values are `VALUE`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    within = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if id(node) in statements or id(node) in within:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_words(part) for part in node.values)


def _words(part: ast.expr) -> str:
    """The text of a part of an f-string; a value is `VALUE`, which may stand for nothing, too."""
    return str(part.value) if isinstance(part, ast.Constant) else VALUE


def test_no_text_has_an_old_word() -> None:
    old = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources()
        for line, text in texts(path)
        if " " in text and OLD_WORDS.search(text)
    ]
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "editor-extension/README.md"]
    screens = [*(ROOT / "tests/screens").glob("*.txt"), *(ROOT / "tests/hosts").glob("*.txt")]
    for page in (*pages, *screens):
        if page.name not in GENERATED and (match := OLD_WORDS.search(page.read_text())):
            old.append(f"{page.relative_to(ROOT)}: {match[0]}")
    assert old == []


def test_the_editor_has_the_same_words() -> None:
    folder = ROOT / "editor-extension/src"
    words = re.search(r"export type Seen = (.*);", (folder / "status/model.ts").read_text())
    assert words is not None
    assert set(re.findall(r"'([^']+)'", words[1])) == set(STATES)
    strings = re.compile(r"'[^'\n]* [^'\n]*'")
    old = [
        text
        for path in folder.rglob("*.ts")
        for text in strings.findall(path.read_text())
        if OLD_WORDS.search(text[1:-1])
    ]
    assert old == []


def named_commands() -> list[tuple[str, str]]:
    """Each command that a text or a recorded screen names, with where."""
    named = [
        (f"{path.relative_to(ROOT)}:{line}", command)
        for path in sources()
        for line, text in texts(path)
        for command in _COMMAND.findall(text)
    ]
    for folder in ("tests/hosts", "tests/screens"):
        for path in sorted((ROOT / folder).glob("*.txt")):
            shown = " ".join(path.read_text().split())
            named += [(path.name, command) for command in _COMMAND.findall(shown)]
    return [(where, command) for where, command in named if not _WITHHELD.search(command)]


def problem(command: str) -> str:
    """Why the command line does not take `command`, '' where it does."""
    if VALUE in command:
        # A value is a word, or options that are not always there.
        filled = (command.replace(VALUE, "1"), command.replace(VALUE, ""))
        return min((problem(each) for each in filled), key=len)
    _, name, *arguments = shlex.split(command)
    if name not in command_names():
        return f"there is no command `{name}`"
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(errors):
            build_parser(name, load_command(name)).parse_args(arguments)
    except UsageError as error:
        # The name of a command may stand for itself, without what the reader puts behind it.
        return "" if re.search("^`(NAME|HOST)[^`]*` is missing", error.message) else error.message
    except SystemExit as end:
        return errors.getvalue() if end.code else ""
    return ""


def test_each_command_that_a_text_names_is_one() -> None:
    named = named_commands()
    assert len(named) > 100
    wrong = {command: where for where, command in named if problem(command)}
    assert wrong == {}


@pytest.mark.parametrize("command", ["sandboxd no-such", "sandboxd status --everything"])
def test_a_command_that_is_none_is_noticed(command: str) -> None:
    assert problem(command)
