"""What clients send that stock pygls does not survive, and how a session ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lsp.raw import RawClient
from tests.patience import PATIENCE
from tools.lsp_client import PUBLISH, frame

URI = "file:///nowhere/.devcontainer/devcontainer.json"
WEAK = '{"image": "x", "privileged": true}'


@pytest.fixture(params=["by a daemon", "alone"])
def server(request: pytest.FixtureRequest, with_daemon: dict[str, str]) -> Iterator[RawClient]:
    """The same session wherever it lives."""
    more = ["--no-daemon"] if request.param == "alone" else []
    with RawClient(*more, environ=with_daemon) as client:
        yield client


def codes(diagnostics: list[Any]) -> set[str]:
    return {diagnostic["code"] for diagnostic in diagnostics}


def test_requests_with_bad_params_are_answered(server: RawClient) -> None:
    server.initialize()
    for method, params in [
        ("textDocument/hover", {"bogus": 1}),
        ("textDocument/hover", [1, 2]),
        ("textDocument/codeAction", {"textDocument": {"uri": URI}}),
        ("textDocument/codeAction", None),
    ]:
        assert server.request(method, params)["error"]["code"] == -32602, method
    assert server.request("textDocument/nothing", {})["error"]["code"] == -32601
    assert server.shut_down() == 0


def test_values_of_a_newer_protocol_do_not_cost_the_session(server: RawClient) -> None:
    capabilities = {
        "textDocument": {
            "publishDiagnostics": {"relatedInformation": True, "tagSupport": {"valueSet": [1, 99]}},
            "documentSymbol": {"symbolKind": {"valueSet": [1, 999]}},
        },
        "general": {"positionEncodings": ["utf-8"]},
        "notYetInvented": {"a": 1},
    }
    answer = server.initialize(
        capabilities, trace="compact", initializationOptions={"jsonrpc": "2.0", "id": 3}
    )
    assert answer["result"]["capabilities"]["positionEncoding"] == "utf-8"
    server.notify("$/setTrace", {"value": "compact"})
    server.notify("workspace/didChangeConfiguration", {})
    server.open(URI, WEAK)
    assert "privileged-container" in codes(server.published())


def test_foreign_diagnostics_do_not_spoil_code_actions(server: RawClient) -> None:
    server.initialize()
    server.open(URI, WEAK)
    weak = next(d for d in server.published() if d["code"] == "privileged-container")
    strange = {"range": weak["range"], "message": "other", "severity": 0, "tags": [3, 77]}
    params = {
        "textDocument": {"uri": URI},
        "range": weak["range"],
        "context": {"diagnostics": [strange], "triggerKind": 9},
    }
    assert server.request("textDocument/codeAction", params)["result"]


def test_only_the_kinds_that_are_asked_for(server: RawClient) -> None:
    server.initialize()
    server.open(URI, WEAK)
    weak = next(d for d in server.published() if d["code"] == "privileged-container")
    params = {
        "textDocument": {"uri": URI},
        "range": weak["range"],
        "context": {"diagnostics": [], "only": ["source.organizeImports"]},
    }
    assert server.request("textDocument/codeAction", params)["result"] == []


def test_messages_that_are_none_are_answered_or_passed_over(server: RawClient) -> None:
    server.send_bytes(b"Content-Length: 9\r\n\r\nnot json!")
    assert server.wait(lambda m: "error" in m)["error"]["code"] == -32700
    server.send([1, 2])
    assert server.wait(lambda m: "error" in m)["error"]["code"] == -32600
    server.send_bytes(b"content-LENGTH: 100000\r\nX-Other: y\r\n\r\n" + b"[" * 100_000)
    assert server.wait(lambda m: "error" in m)["error"]["code"] == -32700
    server.notify("textDocument/didChange", {"textDocument": {"uri": URI}})
    server.notify("no/such/thing", {"deep": {"jsonrpc": "2.0"}})
    assert "result" in server.initialize()


def test_before_initialize_and_after_shutdown_requests_are_refused(server: RawClient) -> None:
    hover = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
    assert server.request("textDocument/hover", hover)["error"]["code"] == -32002
    server.initialize()
    assert server.request("initialize", {"capabilities": {}})["error"]["code"] == -32600
    assert server.request("shutdown")["result"] is None
    assert server.request("textDocument/hover", hover)["error"]["code"] == -32600
    server.notify("exit")
    assert server.process.wait(PATIENCE) == 0


def test_exit_without_shutdown_is_1(server: RawClient) -> None:
    server.initialize()
    server.notify("exit")
    assert server.process.wait(PATIENCE) == 1


@pytest.mark.parametrize("last", [b"", b"Content-Length: 500\r\n\r\n{", b"Content-Len"])
def test_the_end_of_the_stream_ends_the_server(server: RawClient, last: bytes) -> None:
    server.initialize()
    if last:
        server.send_bytes(last)
    assert server.process.stdin is not None
    server.process.stdin.close()
    assert server.process.wait(PATIENCE) == 1


@pytest.mark.parametrize(
    "header", [b"Content-Length: 99999999999\r\n\r\n", b"Content-Length: x\r\n\r\n"]
)
def test_a_message_of_no_sane_length_ends_the_server(server: RawClient, header: bytes) -> None:
    server.send_bytes(header)
    assert server.process.wait(PATIENCE) == 1


def test_a_change_of_a_document_that_is_not_open_is_no_pop_up(server: RawClient) -> None:
    server.initialize()
    server.change(URI, WEAK, 2)
    server.open("file:///nowhere/.devcontainer.json", WEAK)
    message = server.wait(lambda m: "method" in m)
    assert message["method"] == PUBLISH
    assert message["params"]["uri"] == "file:///nowhere/.devcontainer.json"


def test_line_separators_of_unicode_are_no_line_ends(server: RawClient) -> None:
    server.initialize()
    text = '{ // a\u2028b\x0c\x85\n  "image": "x",\r\n  "privileged":\rtrue}'
    server.open(URI, text)
    weak = next(d for d in server.published() if d["code"] == "privileged-container")
    assert weak["range"]["start"] == {"line": 3, "character": 0}


def test_a_client_that_sends_ranges_is_served(server: RawClient) -> None:
    server.initialize({"general": {"positionEncodings": ["utf-16"]}})
    server.open(URI, '{ /*\U0001f600\u2028*/ "image": "x", "privileged": false}')
    assert "privileged-container" not in codes(server.published())
    start = '{ /*\U0001f600\u2028*/ "image": "x", "privileged": '
    column = len(start.encode("utf-16-le")) // 2
    change = {
        "range": {
            "start": {"line": 0, "character": column},
            "end": {"line": 0, "character": column + 5},
        },
        "text": "true",
    }
    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]}
    server.notify("textDocument/didChange", params)
    assert "privileged-container" in codes(server.published(2))


def opening(uri: str, text: str) -> dict[str, Any]:
    """A document that is opened."""
    item = {"uri": uri, "languageId": "jsonc", "version": 1, "text": text}
    return {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": item}}


def change_to(version: int) -> dict[str, Any]:
    """A change of the whole text, which is another in each version."""
    params = {
        "textDocument": {"uri": URI, "version": version},
        "contentChanges": [{"text": WEAK + " " * version}],
    }
    return {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": params}


def test_a_burst_is_published_a_few_times_and_ends_with_the_last_version(
    server: RawClient,
) -> None:
    server.initialize()
    server.open(URI, WEAK)
    server.published(1)
    # In one write: on a busy machine there is a pause between any two.
    server.send_bytes(b"".join(frame(change_to(version)) for version in range(2, 32)))
    versions = [1]
    while versions[-1] != 31:
        message = server.wait(lambda m: m.get("method") == PUBLISH)
        versions.append(message["params"]["version"])
    # What is learnt of the host meanwhile has a version published once more.
    assert versions == sorted(versions)
    assert len(versions) <= 20


def test_files_of_no_interest_are_passed_over(server: RawClient) -> None:
    server.initialize()
    for uri in ("file:///a/package.json", "untitled:Untitled-1", "git:/x?y", "file://[bad", ""):
        server.open(uri, '{"privileged": true}')
    server.open(URI, WEAK)
    message = server.wait(lambda m: m.get("method") == PUBLISH)
    assert message["params"]["uri"] == URI


def test_broken_text_is_judged_anew_when_it_is_mended(server: RawClient) -> None:
    server.initialize()
    server.open(URI, WEAK)
    assert codes(server.published(1)) >= {"privileged-container"}
    server.change(URI, '{"image": "x", "privileged": tr', 2)
    assert "privileged-container" not in codes(server.published(2))
    server.change(URI, "\ud800\x00", 3)
    server.published(3)
    server.change(URI, WEAK, 4)
    assert "privileged-container" in codes(server.published(4))
    assert "json-syntax-error" not in codes([])


def test_a_large_text_does_not_hold_up_a_small_one(server: RawClient) -> None:
    server.initialize()
    items = ",".join('{"a": [1, 2, {"b": null}]}' for _ in range(60_000))
    big = '{"image": "x", "customizations": [' + items + "]}"
    # In one write: on a busy machine there is a pause between any two.
    server.send_bytes(
        frame(opening("file:///big/.devcontainer.json", big)) + frame(opening(URI, WEAK))
    )
    first = server.wait(lambda m: m.get("method") == PUBLISH)
    assert first["params"]["uri"] == URI
    server.wait(lambda m: m.get("method") == PUBLISH and "/big/" in m["params"]["uri"])


def test_the_server_ends_with_its_editor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when somebody else still holds the pipe open."""
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    script = (
        "import sandboxd.lsp.session as s; s._EDITOR_LOOK_SECONDS = 0.1\n"
        "import sys; from sandboxd.cli.main import run; sys.exit(run(['lsp', '--no-daemon']))"
    )
    try:
        with RawClient(command=["-c", script]) as server:
            server.initialize(processId=editor.pid)
            time.sleep(0.5)
            assert server.process.poll() is None
            editor.kill()
            editor.wait()
            assert server.process.wait(PATIENCE) == 1
    finally:
        editor.kill()
        editor.wait()
        assert editor.stdin is not None
        editor.stdin.close()


def test_nothing_is_printed_between_messages(server: RawClient) -> None:
    server.initialize()
    server.open(URI, WEAK)
    server.published()
    assert os.path.exists(f"/proc/{server.process.pid}") or sys.platform != "linux"
    assert server.shut_down() == 0
    assert server.messages.get(timeout=PATIENCE) is None


def test_sandboxd_toml_is_judged_while_it_is_typed(server: RawClient) -> None:
    server.initialize()
    uri = "file:///nowhere/sandboxd.toml"
    server.open(uri, 'profile = "dev"\nimage = "x"\n')
    assert codes(server.published(1)) == set()
    server.change(uri, 'profile = "dve"\nimage = "x"\ncapabilties = 3\n', 2)
    published = server.published(2)
    assert {d["code"] for d in published} >= {"config-unknown-profile", "config-unknown-key"}
    lines = {d["code"]: d["range"]["start"]["line"] for d in published}
    assert (lines["config-unknown-profile"], lines["config-unknown-key"]) == (0, 2)
    server.change(uri, 'profile = "dev"\nimage = ', 3)
    assert server.published(3)
    server.close(uri)
    # What was learnt of the host before has version 3 published once more. Of a closed file there is no version.
    cleared = server.wait(
        lambda message: message.get("method") == PUBLISH and not message["params"].get("version")
    )
    assert cleared["params"]["diagnostics"] == []


def test_a_project_decides_on_the_weight_of_rules(server: RawClient, tmp_path: Path) -> None:
    (tmp_path / "sandboxd.toml").write_text(
        'image = "x"\n[rules]\nprivileged-container = "off"\n'
        '[[allow]]\nrule = "host-pid"\nreason = "a debugger"\n'
    )
    server.initialize()
    uri = (tmp_path / ".devcontainer.json").as_uri()
    server.open(
        uri, '{"image": "x", "privileged": true, "runArgs": ["--pid=host", "--network=host"]}'
    )
    published = codes(server.published())
    assert "host-network" in published
    assert published & {"privileged-container", "host-pid"} == set()
