"""What each feature answers, on one session without a process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from lsprotocol.types import SymbolKind

from sandboxd import rules
from sandboxd.engine.interruption import Step
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.lsp import judgements
from sandboxd.lsp.features import commands
from sandboxd.lsp.surroundings import Surroundings
from sandboxd.operations import start
from sandboxd.operations.started import Started
from sandboxd.plan.reasons import Downgrade
from tests.patience import PATIENCE, until
from tests.unit.lsp.talk import PUBLISH, RESOLVES, Client, at

WEAK = '{\n  "image": "x",\n  "privileged": true,\n  "capAdd": ["SYS_ADMIN"]\n}\n'
URI = "file:///nowhere/.devcontainer/devcontainer.json"
CONFIG = "file:///nowhere/sandboxd.toml"


@pytest.mark.asyncio
async def test_an_action_is_made_when_it_is_chosen_and_only_for_the_text_it_was_for(
    tmp_path: Path,
) -> None:
    client = Client(RESOLVES, environ={"HOME": "/home/x", "XDG_CONFIG_HOME": str(tmp_path)})
    client.open(URI, WEAK)
    everything = {"start": at(0, 0), "end": at(9, 0)}
    params = {"textDocument": {"uri": URI}, "range": everything, "context": {"diagnostics": []}}
    actions = (await client.ask("textDocument/codeAction", params))["result"]
    whole = next(a for a in actions if a["kind"] == "source.fixAll.sandboxd")
    assert "edit" not in whole
    resolved = (await client.ask("codeAction/resolve", whole))["result"]
    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 1}
    accept = next(a for a in actions if a["title"].startswith("Accept `privileged-container`"))
    (edit,) = accept["edit"]["documentChanges"][0]["edits"]
    assert edit["newText"].startswith("  // sandboxd: allow privileged-container -- ")
    policy = tmp_path / "sandboxd/policy.toml"
    policy.parent.mkdir()
    policy.write_text('enforce = ["privileged-container"]\n')
    titles = [a["title"] for a in (await client.ask("textDocument/codeAction", params))["result"]]
    assert not any(title.startswith("Accept `privileged-container`") for title in titles)
    assert any(title.startswith("Accept ") for title in titles)
    client.change(URI, WEAK + " ", 2)
    late = await client.ask("codeAction/resolve", whole)
    assert "changed since" in late["error"]["message"]


@pytest.mark.asyncio
async def test_hover_says_what_a_harmless_setting_comes_to() -> None:
    client = Client()
    client.open(URI, '{\n  "image": "debian",\n  "runArgs": ["--pids-limit=77"]\n}\n')
    where = {"textDocument": {"uri": URI}, "position": at(2, 18)}
    answer = (await client.ask("textDocument/hover", where))["result"]["contents"]["value"]
    assert "`pids_limit` of the container" in answer
    assert "77" in answer


@pytest.mark.asyncio
async def test_hover_says_why_the_plan_is_as_it_is(tmp_path: Path) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text('profile = "dev"\nimage = "x"\n')
    client = Client(host=HostFacts(system="Linux", engine=Engine("unix:///x", version="27.0")))
    client.open(config.as_uri(), config.read_text())
    where = {"textDocument": {"uri": config.as_uri()}, "position": at(1, 10)}
    answer = (await client.ask("textDocument/hover", where))["result"]
    assert "decided by **config**" in answer["contents"]["value"]


@pytest.mark.asyncio
async def test_hover_on_the_runtime_says_that_the_gvisor_build_is_old(tmp_path: Path) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text('image = "x"\nruntime = "gvisor"\n')
    path = Path(__file__).parents[2] / "hosts" / "debian-13-gvisor-2024.json"
    client = Client(host=from_raw(json.loads(path.read_text())))
    client.open(config.as_uri(), config.read_text())
    where = {"textDocument": {"uri": config.as_uri()}, "position": at(1, 12)}
    answer = (await client.ask("textDocument/hover", where))["result"]["contents"]["value"]
    assert "Not in force: gVisor build" in answer and "setup gvisor --update" in answer
    assert "seccomp does not count in" in answer


@pytest.mark.asyncio
async def test_hover_says_why_there_is_no_plan_and_how_to_agree(tmp_path: Path) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text('image = "x"\nruntime = "runc"\n')
    gvisor = Runtime("runsc-sandboxd", "/x", usable=True, gvisor=True)
    client = Client(
        host=HostFacts(system="Linux", engine=Engine("unix:///x", runtimes=(gvisor,))),
        environ={"HOME": str(tmp_path / "home")},
    )
    client.open(config.as_uri(), config.read_text())
    where = {"textDocument": {"uri": config.as_uri()}, "position": at(1, 12)}
    answer = (await client.ask("textDocument/hover", where))["result"]
    assert "No sandbox: sandboxd.toml asks for" in answer["contents"]["value"]
    assert "sandboxd trust add" in answer["contents"]["value"]


@pytest.mark.asyncio
async def test_a_service_leads_to_its_compose_file(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services:\n  db: {}\n  app:\n    image: x\n")
    (tmp_path / ".devcontainer").mkdir()
    uri = (tmp_path / ".devcontainer" / "devcontainer.json").as_uri()
    client = Client()
    client.open(uri, '{\n"dockerComposeFile": "../compose.yml",\n"service": "app"\n}')
    where = {"textDocument": {"uri": uri}, "position": at(2, 13)}
    answer = (await client.ask("textDocument/definition", where))["result"]
    assert answer["uri"].endswith("/compose.yml")
    assert answer["range"]["start"] == at(2, 2)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("uri", "language", "text", "rule"),
    [
        ("untitled:Untitled-1", "dockerfile", "FROM x\nUSER root\n", "dockerfile-ends-as-root"),
        (
            "untitled:Untitled-2",
            "dockercompose",
            "services:\n  a:\n    image: x\n    privileged: true\n",
            "privileged-container",
        ),
        (
            "file:///nowhere/stack.yaml",
            "yaml.docker-compose",
            "services:\n  a:\n    image: x\n    privileged: true\n",
            "privileged-container",
        ),
        ("file:///nowhere/devcontainer.json", "plaintext", WEAK, "privileged-container"),
    ],
)
async def test_a_file_is_known_by_its_name_or_by_its_language(
    uri: str, language: str, text: str, rule: str
) -> None:
    client = Client()
    client.open(uri, text, language=language)
    answer = client.published(uri)[-1]["diagnostics"]
    assert rule in {d["code"] for d in answer}
    weak = next(d for d in answer if d["code"] == rule)
    where = {"textDocument": {"uri": uri}}
    there = {**where, "position": weak["range"]["start"]}
    assert rule in str((await client.ask("textDocument/hover", there))["result"])
    params = {**where, "range": weak["range"], "context": {"diagnostics": [weak]}}
    actions = (await client.ask("textDocument/codeAction", params))["result"]
    assert f"Accept `{rule}` here with a reason" in [action["title"] for action in actions]


@pytest.mark.asyncio
async def test_nothing_on_disk_belongs_to_a_text_of_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n[rules]\nprivileged-container = "off"\n')
    (tmp_path / "Dockerfile").write_text("FROM x\nUSER root\n")
    read: list[str] = []
    monkeypatch.setattr(judgements, "read_beside", lambda path, _beside: read.append(path))
    client = Client()
    uri = f"vscode-remote://ssh-remote+h{tmp_path}/.devcontainer.json"
    client.open(uri, '{\n"build": {"dockerfile": "Dockerfile"},\n"privileged": true\n}\n')
    answer = {d["code"] for d in client.published(uri)[-1]["diagnostics"]}
    assert "privileged-container" in answer
    where = {"textDocument": {"uri": uri}}
    assert (await client.ask("textDocument/documentLink", where))["result"] == []
    await client.ask("textDocument/hover", {**where, "position": at(2, 15)})
    # What is open beside it is there.
    beside = f"vscode-remote://ssh-remote+h{tmp_path}/Dockerfile"
    client.open(beside, "FROM x\n")
    await until(lambda: client.published(beside))
    assert [p.get("version") for p in client.published(beside)] == [1]
    assert read == []


@pytest.mark.asyncio
async def test_the_outline_of_a_config() -> None:
    client = Client()
    client.open(CONFIG, 'profile = "dev"\n[network]\nmode = "none"\nallow = ["a.example"]\n')
    document = {"textDocument": {"uri": CONFIG}}
    answer = (await client.ask("textDocument/documentSymbol", document))["result"]
    assert [(s["name"], [c["name"] for c in s["children"]]) for s in answer] == [
        ("profile", []),
        ("network", ["mode", "allow"]),
    ]
    kinds = [symbol["kind"] for symbol in (*answer, *answer[1]["children"])]
    assert kinds == [SymbolKind.String, SymbolKind.Namespace, SymbolKind.String, SymbolKind.Array]


@pytest.mark.asyncio
async def test_a_compose_file_that_changes_makes_an_unopened_file_weak(tmp_path: Path) -> None:
    compose = tmp_path / "compose.yml"
    compose.write_text("services:\n  app:\n    image: x\n")
    (tmp_path / ".devcontainer").mkdir()
    unopened = tmp_path / ".devcontainer" / "devcontainer.json"
    unopened.write_text(
        '{"dockerComposeFile": "../compose.yml", "service": "app", "capAdd": ["SYS_ADMIN"]}'
    )
    watched: list[frozenset[str]] = []
    client = Client(surroundings=Surroundings(watch=watched.append))
    client.open(compose.as_uri(), compose.read_text())
    await client.until(lambda m: m.get("method") == PUBLISH and "devcontainer" in str(m["params"]))
    published = client.published(unopened.as_uri())
    assert "cap-add-sys-admin" in {d["code"] for d in published[-1]["diagnostics"]}
    assert "version" not in published[-1]
    assert str(tmp_path) in watched[-1]
    client.open(unopened.as_uri(), unopened.read_text())
    before = len(client.published(unopened.as_uri()))
    client.change(compose.as_uri(), compose.read_text() + "    privileged: true\n", 2)
    await until(lambda: len(client.published(unopened.as_uri())) > before)


@pytest.mark.asyncio
async def test_a_rule_that_raises_is_said_once_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode(*_: Any) -> Any:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(rules.get("privileged-container"), "check", explode)
    client = Client()
    client.open(URI, WEAK)
    answer = client.published(URI)[-1]["diagnostics"]
    assert "cap-add-sys-admin" in {d.get("code") for d in answer}
    assert len([d for d in answer if "oops" in d["message"]]) == 1


@pytest.mark.asyncio
async def test_a_container_is_started_only_by_the_user(tmp_path: Path) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n')
    client = Client(RESOLVES)
    params = {"command": "sandboxd.up", "arguments": [tmp_path.as_uri()]}
    client.say("workspace/executeCommand", params, 99)
    asked = await client.until(lambda m: m.get("method") == "window/showMessageRequest")
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {"title": "Cancel"}}
    client.session.protocol.receive(json.dumps(answer).encode())
    done = await client.until(lambda m: m.get("id") == 99)
    assert done["result"] is None


@pytest.mark.asyncio
async def test_a_start_is_that_of_the_command_line_and_says_what_is_not_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n')
    calls: list[tuple[Any, ...]] = []

    def begin(engine: Any, directory: str, environ: Any, *, progress: Any, cancel: Any) -> Started:
        calls.append((engine.host, directory))
        progress(Step("building"))
        missing = Downgrade("network", "the engine has no gateway", "")
        return Started("id", "box", "created", directory, "dev", "runc", (missing,))

    monkeypatch.setattr(start, "start", begin)
    client = Client(RESOLVES, environ={"DOCKER_HOST": "unix:///mine", "HOME": str(tmp_path)})
    params = {
        "command": "sandboxd.up",
        "arguments": [tmp_path.as_uri()],
        "workDoneToken": "t",
    }
    client.say("workspace/executeCommand", params, 99)
    asked = await client.until(lambda m: m.get("method") == "window/showMessageRequest")
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {"title": "Start it"}}
    client.session.protocol.receive(json.dumps(answer).encode())
    await client.until(lambda m: m.get("params", {}).get("value", {}).get("message") == "building")
    message = await client.until(lambda m: m.get("params", {}).get("type") == 2)
    assert "network: the engine has no gateway" in message["params"]["message"]
    assert (await client.until(lambda m: m.get("id") == 99))["result"] == "box"
    assert calls == [("unix:///mine", str(tmp_path))]


@pytest.mark.asyncio
async def test_a_command_shows_progress_and_ends_when_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n')
    given_up = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def wait(_self: Any, _job: Any) -> Any:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            loop.call_soon(given_up.set)
            raise

    monkeypatch.setattr(commands.Commands, "_operate", wait)
    client = Client(RESOLVES)
    params = {
        "command": "sandboxd.generate",
        "arguments": [str(tmp_path)],
        "workDoneToken": "t",
    }
    client.say("workspace/executeCommand", params, 7)
    await client.until(lambda m: m.get("params", {}).get("value", {}).get("kind") == "begin")
    client.say("window/workDoneProgress/cancel", {"token": "t"})
    await asyncio.wait_for(given_up.wait(), PATIENCE)
    await client.until(lambda m: m.get("params", {}).get("value", {}).get("kind") == "end")
    assert "error" in await client.until(lambda m: m.get("id") == 7)
