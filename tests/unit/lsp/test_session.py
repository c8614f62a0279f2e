"""A session in this process: what it keeps, and what it lets go."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd import formats
from sandboxd.host.facts import HostFacts
from sandboxd.lsp import judgements
from sandboxd.lsp.session import Session
from tests.patience import until

URI = "file:///nowhere/.devcontainer.json"


class Sink:
    """What a session writes, as messages."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def write(self, data: bytes) -> None:
        self.messages.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        pass


def session(capabilities: Any = None) -> tuple[Session, Sink]:
    editor, sink = Session({"HOME": "/home/x"}), Sink()
    editor.protocol.set_writer(sink)
    params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
    say(editor, "initialize", params, 0)
    return editor, sink


def say(to: Session, method: str, params: Any, number: int | None = None) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    if number is not None:
        message["id"] = number
    to.protocol.receive(json.dumps(message).encode())


def opened(to: Session, text: str) -> None:
    item = {"uri": URI, "languageId": "jsonc", "version": 1, "text": text}
    say(to, "textDocument/didOpen", {"textDocument": item})


def changed(to: Session, text: str, version: int) -> None:
    params = {
        "textDocument": {"uri": URI, "version": version},
        "contentChanges": [{"text": text}],
    }
    say(to, "textDocument/didChange", params)


@pytest.mark.asyncio
async def test_nothing_piles_up(monkeypatch: pytest.MonkeyPatch) -> None:
    editor, sink = session()
    opened(editor, "{}")
    for version in range(2, 500):
        changed(editor, "{}" + " " * (version % 3), version)
        hover = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
        say(editor, "textDocument/hover", hover, version)
        say(editor, "textDocument/hover", {}, version + 10_000)
    await until(lambda: not editor.protocol._request_futures)
    assert len([m for m in sink.messages if "error" in m]) == 498
    assert editor.protocol._result_types == {}


@pytest.mark.asyncio
async def test_each_version_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[bool] = []
    real = judgements.judge

    def counting(*args: Any, verify: bool, **more: Any) -> Any:
        calls.append(verify)
        return real(*args, verify=verify, **more)

    monkeypatch.setattr(judgements, "judge", counting)
    editor, _ = session()
    opened(editor, '{"image": "x", "privileged": true}')
    where = {"textDocument": {"uri": URI}}
    for number in range(3):
        say(
            editor,
            "textDocument/hover",
            {**where, "position": {"line": 0, "character": 30}},
            number,
        )
    assert calls == [False]
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    for number in range(3):
        params = {**where, "range": everything, "context": {"diagnostics": []}}
        say(editor, "textDocument/codeAction", params, 10 + number)
    await until(lambda: len(calls) > 1)
    assert calls == [False, True]


@pytest.mark.asyncio
async def test_a_new_host_judges_what_is_open_anew() -> None:
    editor, sink = session()
    opened(editor, "{}")
    before = len(sink.messages)
    editor.set_host(HostFacts(kernel="6.0"))
    await until(lambda: len(sink.messages) > before)
    assert [m["params"]["version"] for m in sink.messages[before:]] == [1]


@pytest.mark.asyncio
async def test_a_bug_while_checking_is_said_in_the_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_args: Any, **_more: Any) -> Any:
        raise ZeroDivisionError("oops")

    editor, sink = session()
    monkeypatch.setattr(judgements, "judge", explode)
    opened(editor, "{}")
    (diagnostic,) = sink.messages[-1]["params"]["diagnostics"]
    assert "not checked" in diagnostic["message"]
    assert "oops" in diagnostic["message"]
    monkeypatch.undo()
    changed(editor, "{}", 2)
    await until(lambda: sink.messages[-1]["params"]["version"] == 2)


@pytest.mark.asyncio
async def test_a_text_that_is_too_large_to_be_checked_does_not_look_clean() -> None:
    editor, sink = session()
    opened(editor, "{}" + " " * formats.get("devcontainer").LARGEST)
    await until(lambda: "diagnostics" in sink.messages[-1].get("params", {}))
    (diagnostic,) = sink.messages[-1]["params"]["diagnostics"]
    assert diagnostic["message"] == (
        "not checked: this file is larger than 1 MiB, too large for a config file"
    )


@pytest.mark.asyncio
async def test_a_session_ends_alone() -> None:
    first, _ = session()
    second, sink = session()
    say(first, "shutdown", None, 1)
    say(first, "exit", None)
    assert first.protocol.exit_code == 0
    assert second.protocol.exit_code is None
    opened(second, "{}")
    assert sink.messages[-1]["method"] == "textDocument/publishDiagnostics"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_METHODS = st.sampled_from(
    [
        "initialize", "initialized", "textDocument/didOpen", "textDocument/didChange",
        "textDocument/didClose", "textDocument/codeAction", "textDocument/hover",
        "workspace/didChangeConfiguration", "$/setTrace", "$/cancelRequest", "x/y", "",
        "textDocument/completion", "textDocument/definition", "textDocument/documentLink",
        "textDocument/documentSymbol", "textDocument/codeLens", "codeAction/resolve",
        "workspace/executeCommand", "workspace/didChangeWatchedFiles", "textDocument/diagnostic",
        "workspace/didChangeWorkspaceFolders", "window/workDoneProgress/cancel",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_METHODS, _JSON, st.none() | st.integers()), max_size=6))
def test_every_request_is_answered_whatever_it_holds(
    messages: list[tuple[str, Any, int | None]],
) -> None:
    async def converse() -> None:
        editor, sink = session()
        for method, params, number in messages:
            before = len([m for m in sink.messages if "id" in m and "method" not in m])
            say(editor, method, params, number)
            # A handler that is a coroutine answers a turn or two later.
            for _ in range(4):
                await asyncio.sleep(0)
            after = len([m for m in sink.messages if "id" in m and "method" not in m])
            if number is not None:
                assert after == before + 1, (method, params)

    asyncio.run(converse())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_survived(body: bytes) -> None:
    editor, sink = session()
    editor.protocol.receive(body)
    say(editor, "shutdown", None, 99)
    assert sink.messages[-1]["id"] == 99
