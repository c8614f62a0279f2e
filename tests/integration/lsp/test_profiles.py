"""One session with the capabilities of each editor: it is served in full, and never pushed twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lsp.raw import RawClient
from tools.lsp_client import PUBLISH

EDITORS = sorted(path.stem for path in (Path(__file__).parent / "editors").glob("*.json"))
TEXT = '{\n  "image": "x", /* \U0001f600 */ "privileged": true,\n  "dockerFile": "Dockerfile"\n}\n'
COLUMN = {"utf-8": 41, "utf-16": 39, "utf-32": 38}


class Editor:
    """A client that answers what a server asks, as its profile says that it can."""

    def __init__(self, name: str, client: RawClient, folder: Path) -> None:
        path = Path(__file__).parent / "editors" / f"{name}.json"
        self.profile = json.loads(path.read_text())
        self.client = client
        self.uri = (folder / ".devcontainer" / "devcontainer.json").as_uri()
        client.answers["workspace/configuration"] = [None]
        more = {"clientInfo": self.profile["clientInfo"]} if self.profile["clientInfo"] else {}
        folders = [{"uri": folder.as_uri(), "name": "x"}]
        answer = client.initialize(
            self.profile["capabilities"], workspaceFolders=folders, rootUri=folder.as_uri(), **more
        )
        self.server = answer["result"]["capabilities"]

    def diagnostics(self, version: int) -> list[Any]:
        """What the editor shows, by the one way that was agreed on."""
        if "diagnosticProvider" not in self.server:
            return self.client.published(version)
        params = {"textDocument": {"uri": self.uri}}
        answer = self.client.request("textDocument/diagnostic", params)["result"]
        assert answer["kind"] == "full"
        items: list[Any] = answer["items"]
        return items


@pytest.fixture(params=EDITORS)
def editor(
    request: pytest.FixtureRequest, with_daemon: dict[str, str], tmp_path: Path
) -> Iterator[Editor]:
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer" / "Dockerfile").write_text("FROM debian\n")
    with RawClient("--stdio", environ=with_daemon) as client:
        driver = Editor(request.param, client, tmp_path)
        yield driver
        assert client.shut_down() == 0


def test_it_is_served_in_full(editor: Editor) -> None:
    client, uri = editor.client, editor.uri
    client.open(uri, TEXT)
    by_code = {item["code"]: item for item in editor.diagnostics(1)}
    weak = by_code["privileged-container"]
    unit = editor.server["positionEncoding"]
    assert weak["range"]["start"] == {"line": 1, "character": COLUMN[unit]}
    document = {"textDocument": {"uri": uri}}
    there = {**document, "position": weak["range"]["start"]}
    hover = client.request("textDocument/hover", there)["result"]
    assert "privileged-container" in hover["contents"]["value"]
    params = {**document, "range": weak["range"], "context": {"diagnostics": [weak]}}
    actions = client.request("textDocument/codeAction", params)["result"]
    kinds = {action["kind"] for action in actions}
    assert {"quickfix", "source.fixAll.sandboxd", "refactor.rewrite"} <= kinds
    whole = next(a for a in actions if a["kind"] == "source.fixAll.sandboxd")
    if "edit" not in whole:
        whole = client.request("codeAction/resolve", whole)["result"]
    assert "edit" in whole
    links = client.request("textDocument/documentLink", document)["result"]
    assert [link["target"].rpartition("/")[2] for link in links] == ["Dockerfile"]
    lenses = client.request("textDocument/codeLens", document)["result"]
    assert "weak setting" in lenses[0]["command"]["title"]


def test_pull_and_push_are_never_both(editor: Editor) -> None:
    client, uri = editor.client, editor.uri
    client.open(uri, TEXT)
    assert editor.diagnostics(1)
    client.change(uri, TEXT + " ", 2)
    assert editor.diagnostics(2)
    client.request(
        "textDocument/hover",
        {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}},
    )
    pushed = [m for m in client.drain() if m.get("method") == PUBLISH and m["params"]["uri"] == uri]
    if "diagnosticProvider" in editor.server:
        assert pushed == []


def test_commands_are_announced_where_no_extension_has_them(editor: Editor) -> None:
    name = (editor.profile["clientInfo"] or {}).get("name", "")
    announced = (editor.server.get("executeCommandProvider") or {}).get("commands") or []
    assert ("sandboxd.up" in announced) == ("code" not in name.lower())
