"""What a client may say of itself and its workspace while a session lasts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.lsp.features import projects
from sandboxd.lsp.surroundings import Surroundings
from tests.patience import PATIENCE, until
from tests.unit.lsp.talk import PUBLISH, WATCHES, Client

URI = "file:///nowhere/.devcontainer.json"
WEAK = '{"image": "x", "privileged": true}'


def traces(client: Client) -> list[Any]:
    return [m["params"] for m in client.messages if m.get("method") == "$/logTrace"]


@pytest.mark.asyncio
async def test_a_trace_is_told_as_far_as_it_is_asked_for() -> None:
    client = Client()
    client.open(URI, WEAK)
    assert traces(client) == []
    client.say("$/setTrace", {"value": "messages"})
    client.change(URI, WEAK + " ", 2)
    await client.ask("textDocument/codeLens", {"textDocument": {"uri": URI}})
    messages = [trace["message"] for trace in traces(client)]
    assert "received textDocument/didChange" in messages
    assert "received textDocument/codeLens (1)" in messages
    assert "sent an answer (1)" in messages
    assert all("verbose" not in trace for trace in traces(client))
    client.say("$/setTrace", {"value": "verbose"})
    client.change(URI, WEAK + " " * 9000, 3)
    held = next(t for t in traces(client) if "verbose" in t)["verbose"]
    assert "privileged" in held
    assert held.endswith("more")
    assert len(held) < 5000
    client.say("$/setTrace", {"value": "off"})
    before = len(traces(client))
    client.change(URI, WEAK, 4)
    await until(lambda: client.published(URI)[-1]["version"] == 4)
    assert len(traces(client)) == before


@pytest.mark.asyncio
async def test_a_trace_may_begin_with_the_session() -> None:
    client = Client(trace="messages")
    client.open(URI, WEAK)
    assert f"sent {PUBLISH}" in [trace["message"] for trace in traces(client)]


def project(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    (path / "sandboxd.toml").write_text('image = "x"\n')
    return path


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("folders", "root", "paths"),
    [
        (None, None, []),
        ([], None, []),
        (None, "file:///a", ["/a"]),
        ([{"uri": "file:///b", "name": "b"}], "file:///a", ["/b"]),
        ([{"uri": "untitled:x", "name": "x"}], None, []),
    ],
)
async def test_the_roots_are_the_folders_of_the_workspace(
    folders: Any, root: str | None, paths: list[str]
) -> None:
    client = Client(folders=folders, root=root)
    assert client.session.context.roots() == paths


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "is_config"),
    [
        ("sandboxd.toml", True),
        (".devcontainer.json", True),
        (".devcontainer/devcontainer.json", True),
        ("compose.yml", False),
    ],
)
async def test_lenses_that_start_a_sandbox_are_above_its_configs(
    tmp_path: Path, name: str, is_config: bool
) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n')
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    text = {".toml": 'image = "x"\n', ".yml": "services: {a: {image: x}}\n"}.get(path.suffix, WEAK)
    client = Client()
    client.open(path.as_uri(), text)
    lenses = await client.ask("textDocument/codeLens", {"textDocument": {"uri": path.as_uri()}})
    commands = {lens["command"]["command"] for lens in lenses["result"] or ()}
    assert ({"sandboxd.up", "sandboxd.verify"} <= commands) == is_config


@pytest.mark.asyncio
async def test_projects_of_all_roots_are_handed_over_and_those_that_come_later(
    tmp_path: Path,
) -> None:
    opened: list[str] = []
    first, second, third = (project(tmp_path, name) for name in "abc")
    roots = [{"uri": folder.as_uri(), "name": folder.name} for folder in (first, second)]
    client = Client(folders=roots, surroundings=Surroundings(opened=opened.append))
    assert opened == [str(first), str(second)]
    added = {"uri": third.as_uri(), "name": "c"}
    event = {"event": {"added": [added], "removed": [roots[0]]}}
    client.say("workspace/didChangeWorkspaceFolders", event)
    assert opened == [str(first), str(second), str(third)]
    assert set(client.session.context.roots()) == {str(second), str(third)}
    client.session.context.close()


@pytest.mark.asyncio
async def test_a_client_may_forbid_to_register_and_take_it_back(tmp_path: Path) -> None:
    opened: list[str] = []
    folder = project(tmp_path, "a")
    client = Client(
        {"workspace": {"configuration": True}},
        folders=[{"uri": folder.as_uri(), "name": "a"}],
        surroundings=Surroundings(opened=opened.append),
        options={"register": False},
    )
    assert opened == []

    async def answer(settings: Any) -> None:
        asked = await client.until(
            lambda m: m.get("method") == "workspace/configuration" and m["id"] not in answered
        )
        answered.add(asked["id"])
        message = {"jsonrpc": "2.0", "id": asked["id"], "result": [settings]}
        client.session.protocol.receive(json.dumps(message).encode())
        await until(lambda: not client.session.context._tasks)

    answered: set[Any] = set()
    await answer(None)
    assert opened == []
    client.say("workspace/didChangeConfiguration", {"settings": None})
    await answer({"register": True})
    assert opened == [str(folder)]
    client.session.context.close()


@pytest.mark.asyncio
async def test_settings_may_come_with_the_notification(tmp_path: Path) -> None:
    opened: list[str] = []
    folder = project(tmp_path, "a")
    client = Client(
        folders=[{"uri": folder.as_uri(), "name": "a"}],
        surroundings=Surroundings(opened=opened.append),
        options={"register": False},
    )
    settings = {"settings": {"sandboxd": {"register": True}, "other": 3}}
    client.say("workspace/didChangeConfiguration", settings)
    assert opened == [str(folder)]


@pytest.mark.asyncio
async def test_a_client_that_watches_is_asked_to_and_believed(tmp_path: Path) -> None:
    watched: list[Any] = []
    client = Client(WATCHES, surroundings=Surroundings(watch=watched.append))
    asked = next(m for m in client.messages if m.get("method") == "client/registerCapability")
    (item,) = asked["params"]["registrations"]
    assert item["method"] == "workspace/didChangeWatchedFiles"
    patterns = {w["globPattern"] for w in item["registerOptions"]["watchers"]}
    assert {"**/sandboxd.toml", "**/*Dockerfile*"} <= patterns
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM debian:12\n")
    uri = (tmp_path / ".devcontainer.json").as_uri()
    client.open(uri, '{"build": {"dockerfile": "Dockerfile"}}')
    before = len(client.published(uri))
    dockerfile.write_text("FROM debian:12\nUSER root\n")
    change = {"changes": [{"uri": dockerfile.as_uri(), "type": 2}]}
    client.say("workspace/didChangeWatchedFiles", change)
    await until(lambda: len(client.published(uri)) > before)
    assert len(client.published(uri)) == before + 1
    assert watched == []
    client.session.context.close()


@pytest.mark.asyncio
async def test_a_session_that_ended_looks_at_no_file_and_watches_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon forgets what a session watches when it ends: what comes later would stay."""
    monkeypatch.setattr(projects, "_PAUSE_SECONDS", 0)
    watched: list[Any] = []
    client = Client(surroundings=Surroundings(watch=watched.append))
    client.open((tmp_path / ".devcontainer.json").as_uri(), WEAK)
    context = client.session.context
    context.close()
    due = asyncio.Event()
    asyncio.get_running_loop().call_later(0, due.set)
    await due.wait()
    assert not context._tasks
    late = context.spawn(asyncio.sleep(PATIENCE))
    await asyncio.wait([late])
    assert late.cancelled() and watched == []


@pytest.mark.asyncio
async def test_a_sandboxd_toml_that_changes_counts_for_what_is_open(tmp_path: Path) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text('image = "x"\n')
    uri = (tmp_path / ".devcontainer.json").as_uri()
    client = Client()
    client.open(uri, WEAK)
    assert "privileged-container" in str(client.published(uri)[-1])
    config.write_text('image = "x"\n[rules]\nprivileged-container = "off"\n')
    client.session.files_changed({str(config)})
    await until(lambda: "privileged-container" not in str(client.published(uri)[-1]))
    client.session.context.close()


@pytest.mark.asyncio
async def test_of_a_file_that_is_closed_unsaved_what_is_on_disk_counts_again(
    tmp_path: Path,
) -> None:
    config = tmp_path / ".devcontainer" / "devcontainer.json"
    feature = tmp_path / ".devcontainer" / "tool" / "devcontainer-feature.json"
    feature.parent.mkdir(parents=True)
    feature.write_text('{"id": "tool", "version": "1.0.0"}')
    config.write_text('{"image": "x", "features": {"./tool": {}}}')

    def is_privileged() -> bool:
        shown = client.published(config.as_uri())[-1]["diagnostics"]
        return "privileged-container" in {diagnostic["code"] for diagnostic in shown}

    # One that watches files itself: nothing else leads to another look.
    client = Client(WATCHES)
    client.open(config.as_uri(), config.read_text())
    assert not is_privileged()
    client.open(feature.as_uri(), '{"id": "tool", "version": "1.0.0", "privileged": true}')
    await until(is_privileged)
    client.say("textDocument/didClose", {"textDocument": {"uri": feature.as_uri()}})
    await until(lambda: not is_privileged())


@pytest.mark.asyncio
async def test_nothing_is_kept_of_a_file_that_is_closed() -> None:
    client = Client()
    client.open(URI, WEAK)
    judgements = client.session.context.judgements
    assert judgements.last(URI) is not None
    client.say("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert judgements.last(URI) is None
