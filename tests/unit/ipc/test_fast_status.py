"""The short way of `sandboxd status`: for the plain question alone, and only for the usual answer."""

from __future__ import annotations

import os

import pytest

from sandboxd.ipc import fast_status
from sandboxd.ipc.dial import WELCOME

RENDERED = b'{"jsonrpc":"2.0","id":2,"result":{"exit":1,"text":"one\\ntwo \\u00e9"}}'


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    asked: list[bytes] = []

    def ask(request: bytes) -> list[bytes]:
        asked.append(request)
        return [WELCOME.encode() + b"}}", RENDERED]

    monkeypatch.setattr(fast_status, "_ask", ask)
    return asked


@pytest.mark.parametrize(
    ("arguments", "format_"),
    [
        ([], "text"),
        (["--json"], "json"),
        (["--long"], "long"),
        (["--all"], "all"),
        (["--short"], "short"),
    ],
)
def test_the_plain_question_is_answered(
    requests: list[bytes],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    format_: str,
) -> None:
    assert fast_status.fast_status(arguments) == 1
    assert capsys.readouterr().out == "one\ntwo é"
    assert f'"format":"{format_}"'.encode() in requests[0]


@pytest.mark.parametrize("arguments", [["--watch"], ["--json", "--json"], ["x"], ["--help"]])
def test_any_other_question_goes_the_long_way(requests: list[bytes], arguments: list[str]) -> None:
    assert fast_status.fast_status(arguments) is None
    assert requests == []


@pytest.mark.parametrize(
    "lines", [None, [b"{}", RENDERED], [WELCOME.encode(), b"{}"], [WELCOME.encode(), RENDERED[:44]]]
)
def test_an_answer_that_is_not_the_usual_one_goes_the_long_way(
    monkeypatch: pytest.MonkeyPatch, lines: list[bytes] | None
) -> None:
    monkeypatch.setattr(fast_status, "_ask", lambda _request: lines)
    assert fast_status.fast_status([]) is None


@pytest.mark.parametrize(
    ("variable", "terminal", "columns"),
    [("", 132, 132), ("100", 132, 100), ("wide", 132, 132), ("", 0, 80), ("", None, 80)],
)
def test_the_screen_is_as_wide_as_the_terminal(
    requests: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    terminal: int | None,
    columns: int,
) -> None:
    def size(_descriptor: int) -> os.terminal_size:
        if terminal is None:
            raise OSError("no terminal")
        return os.terminal_size((terminal, 24))

    monkeypatch.setenv("COLUMNS", variable)
    monkeypatch.setattr(os, "get_terminal_size", size)
    fast_status.fast_status([])
    assert f'"columns":{columns}}}'.encode() in requests[0]
