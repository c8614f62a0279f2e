"""Diagnostics for clients that ask: told once, and unchanged from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.host.facts import HostFacts
from tests.patience import until
from tests.unit.lsp.talk import PUBLISH, Client

PULLS = {
    "textDocument": {"diagnostic": {}},
    "workspace": {"diagnostics": {"refreshSupport": True}},
}
WEAK = '{"image": "x", "privileged": true}'
HARMLESS = '{"image": "x"}'


def project(folder: Path, text: str = WEAK) -> Path:
    (folder / ".devcontainer").mkdir()
    path = folder / ".devcontainer" / "devcontainer.json"
    path.write_text(text)
    return path


def client_of(folder: Path) -> Client:
    return Client(PULLS, folders=[{"uri": folder.as_uri(), "name": "x"}])


def previous(answer: Any) -> list[dict[str, str]]:
    return [{"uri": item["uri"], "value": item["resultId"]} for item in answer["items"]]


def codes(items: list[Any]) -> set[str]:
    return {item["code"] for item in items}


@pytest.mark.asyncio
async def test_what_is_known_is_not_told_again(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    uri = (tmp_path / ".devcontainer.json").as_uri()
    client.open(uri, WEAK)

    async def ask(known: str | None) -> Any:
        params = {"textDocument": {"uri": uri}, "previousResultId": known}
        return (await client.ask("textDocument/diagnostic", params))["result"]

    first = await ask(None)
    assert first["kind"] == "full"
    assert "privileged-container" in codes(first["items"])
    assert await ask(first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}
    client.change(uri, HARMLESS, 2)
    second = await ask(first["resultId"])
    assert second["kind"] == "full"
    assert "privileged-container" not in codes(second["items"])
    assert not client.published(uri)


@pytest.mark.asyncio
async def test_the_workspace_is_told_at_once_and_then_when_there_is_something_new(
    tmp_path: Path,
) -> None:
    unopened = project(tmp_path)
    client = client_of(tmp_path)
    params: dict[str, Any] = {"previousResultIds": []}
    first = (await client.ask("workspace/diagnostic", params))["result"]
    assert [item["uri"] for item in first["items"]] == [unopened.as_uri()]
    assert "privileged-container" in codes(first["items"][0]["items"])
    client.say("workspace/diagnostic", {"previousResultIds": previous(first)}, 500)
    looks: list[bool] = []
    client.session.context.unopened_listeners.append(lambda: looks.append(True))
    client.session.set_host(HostFacts(kernel="6.0"))
    await until(lambda: looks)
    assert not client.session.judgements.set_host(HostFacts(kernel="6.0")), "nothing is new"
    # The question, which has been woken by the look, has its turn.
    await client.ask("textDocument/codeLens", {"textDocument": {"uri": unopened.as_uri()}})
    assert not [m for m in client.messages if m.get("id") == 500]
    unopened.write_text(HARMLESS)
    client.session.files_changed({str(unopened)})
    second = (await client.until(lambda m: m.get("id") == 500))["result"]
    assert "privileged-container" not in codes(second["items"][0]["items"])
    unopened.unlink()
    client.session.files_changed({str(unopened)})
    params = {"previousResultIds": previous(second)}
    third = (await client.ask("workspace/diagnostic", params))["result"]
    assert third["items"][0]["items"] == []
    assert not client.published(unopened.as_uri())


@pytest.mark.asyncio
async def test_a_question_that_is_kept_can_be_taken_back(tmp_path: Path) -> None:
    client = client_of(tmp_path)
    first = (await client.ask("workspace/diagnostic", {"previousResultIds": []}))["result"]
    assert first["items"] == []
    client.say("workspace/diagnostic", {"previousResultIds": []}, 500)
    # Questions are answered in their order: this one was looked at and kept.
    await client.ask(
        "textDocument/hover",
        {"textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0}},
    )
    client.say("$/cancelRequest", {"id": 500})
    answer = await client.until(lambda m: m.get("id") == 500)
    assert answer["error"]["code"] == -32800


@pytest.mark.asyncio
async def test_what_was_pushed_is_taken_back_before_it_is_pulled(tmp_path: Path) -> None:
    unopened = project(tmp_path)
    client = client_of(tmp_path)
    client.open((tmp_path / "compose.yml").as_uri(), "services: {}\n")
    await client.until(lambda m: m.get("method") == PUBLISH)
    assert client.published(unopened.as_uri())[-1]["diagnostics"]
    await client.ask("workspace/diagnostic", {"previousResultIds": []})
    assert client.published(unopened.as_uri())[-1]["diagnostics"] == []


@pytest.mark.asyncio
async def test_what_was_pushed_is_taken_back_when_it_is_opened(tmp_path: Path) -> None:
    unopened = project(tmp_path)
    client = client_of(tmp_path)
    client.open((tmp_path / "compose.yml").as_uri(), "services: {}\n")
    await client.until(lambda m: m.get("method") == PUBLISH)
    client.open(unopened.as_uri(), WEAK)
    await until(lambda: client.published(unopened.as_uri())[-1]["diagnostics"] == [])
