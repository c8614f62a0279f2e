"""The short way of `sandboxd status`: for the plain question alone, and only for the usual answer."""

from __future__ import annotations

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


@pytest.mark.parametrize(("arguments", "format_"), [([], "text"), (["--json"], "json")])
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
