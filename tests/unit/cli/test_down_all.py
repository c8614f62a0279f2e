"""`sandboxd down --all` ends the sandboxes of every project: on a terminal it names them and asks."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sandboxd.cli import main
from sandboxd.cli.commands import down
from sandboxd.engine.client import Summary
from sandboxd.model.labels import EDITOR, MADE_BY, PROJECT, UP


class Typed(io.StringIO):
    """What a person types, on a terminal."""

    def isatty(self) -> bool:
        return True


def summary(name: str, made_by: str = UP) -> Summary:
    labels = {MADE_BY: made_by, PROJECT: f"/home/ann/{name}"}
    return Summary(name, f"sandboxd-{name}", "image", "running", labels, 0)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders whose sandbox was ended."""
    folders: list[str] = []

    def operate(_operation: str, folder: str, _options: Any) -> Any:
        folders.append(folder)
        return {"directory": folder, "removed": [], "of_editors": [], "problem": ""}

    present = [summary("shop"), summary("weather"), summary("editors", EDITOR)]
    monkeypatch.setattr("sandboxd.life.find.all_sandboxes", lambda _: present)
    monkeypatch.setattr(down._sandbox, "connect", lambda: None)
    monkeypatch.setattr(down, "operate", operate)
    return folders


@pytest.mark.parametrize(
    ("typed", "words", "is_done"),
    [
        (Typed("y\n"), (), True),
        (Typed("\n"), (), False),
        (Typed(""), ("--discard",), False),
        (Typed(""), ("--yes",), True),
        (io.StringIO(""), (), True),
    ],
)
def test_a_person_is_asked_and_a_script_is_not(
    typed: io.StringIO,
    words: tuple[str, ...],
    is_done: bool,
    ended: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", typed)
    assert main.run(["down", "--all", *words]) == (0 if is_done else 2)
    assert ended == (["/home/ann/shop", "/home/ann/weather"] if is_done else [])
    said = capsys.readouterr().err
    is_asked = typed.isatty() and "--yes" not in words
    assert ("  sandboxd-shop\n  sandboxd-weather\nend these 2 sandboxes; " in said) == is_asked
    assert ("throw their work away? [y/N]" in said) == ("--discard" in words)
    assert "editors" not in said
    assert ("nothing was ended" in said) != is_done
