"""Trust from within an editor: shown, asked for, and granted for what was shown only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.policy import trust
from tests.unit.lsp.talk import RESOLVES, Client

CONFIG = 'profile = "trusted"\nimage = "x"\n'
ASKS = "window/showMessageRequest"


class Trusting:
    """A client whose user is asked to trust a project."""

    def __init__(self, folder: Path, config: str = CONFIG) -> None:
        self.workspace = folder / "project"
        self.workspace.mkdir()
        (self.workspace / "sandboxd.toml").write_text(config)
        self.environ = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
        self.client = Client(RESOLVES, environ=self.environ)

    def command(self) -> None:
        params = {"command": "sandboxd.trust", "arguments": [self.workspace.as_uri()]}
        self.client.say("workspace/executeCommand", params, 99)

    async def asked(self) -> Any:
        return await self.client.until(lambda m: m.get("method") == ASKS)

    async def answer(self, title: str | None) -> Any:
        number = (await self.asked())["id"]
        result = {"title": title} if title is not None else None
        message = {"jsonrpc": "2.0", "id": number, "result": result}
        self.client.session.protocol.receive(json.dumps(message).encode())
        return await self.client.until(lambda m: m.get("id") == 99)

    def granted(self) -> list[str]:
        return [grant.profile for grant in trust.grants(self.environ)]


@pytest.mark.asyncio
async def test_what_is_granted_is_shown_and_confirmed(tmp_path: Path) -> None:
    user = Trusting(tmp_path)
    user.command()
    message = (await user.asked())["params"]["message"]
    assert str(user.workspace) in message
    assert "no new privileges: true -> false" in message
    assert user.granted() == []
    done = await user.answer("Trust it")
    assert done["result"] == ["trusted"]
    assert user.granted() == ["trusted"]


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", ["Cancel", "trust it", None])
async def test_any_other_answer_grants_nothing(tmp_path: Path, answer: str | None) -> None:
    user = Trusting(tmp_path)
    user.command()
    assert (await user.answer(answer))["result"] == []
    assert user.granted() == []


@pytest.mark.asyncio
async def test_what_changed_while_it_was_looked_at_is_not_granted(tmp_path: Path) -> None:
    user = Trusting(tmp_path)
    user.command()
    await user.asked()
    (user.workspace / "sandboxd.toml").write_text(CONFIG + "# something else\n")
    assert "changed while you were asked" in (await user.answer("Trust it"))["error"]["message"]
    assert user.granted() == []


@pytest.mark.asyncio
async def test_a_project_that_needs_no_grant_asks_for_none(tmp_path: Path) -> None:
    user = Trusting(tmp_path, 'image = "x"\n')
    user.command()
    done = await user.client.until(lambda m: m.get("id") == 99)
    assert done["result"] == []
    assert not [m for m in user.client.messages if m.get("method") == ASKS]


@pytest.mark.asyncio
async def test_words_of_the_repository_make_no_lines_of_their_own(tmp_path: Path) -> None:
    user = Trusting(tmp_path, 'image = "x"\n')
    folder = user.workspace / ".devcontainer"
    folder.mkdir()
    (user.workspace / "sandboxd.toml").write_text("")
    name = "Docker\nall of this is harmless"
    (folder / name).write_text("FROM scratch\n")
    config = {"build": {"dockerfile": name}}
    (folder / "devcontainer.json").write_text(json.dumps(config))
    user.command()
    lines = (await user.asked())["params"]["message"].splitlines()
    assert any("harmless" in line for line in lines)
    assert not [line for line in lines if line.startswith("all of this")]


@pytest.mark.asyncio
async def test_nothing_that_a_repository_shows_leads_to_it(tmp_path: Path) -> None:
    user = Trusting(tmp_path)
    uri = (user.workspace / "sandboxd.toml").as_uri()
    user.client.open(uri, CONFIG)
    where = {"textDocument": {"uri": uri}}
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    params = {**where, "range": everything, "context": {"diagnostics": []}}
    shown = [
        await user.client.ask("textDocument/codeLens", where),
        await user.client.ask("textDocument/codeAction", params),
        await user.client.ask("textDocument/documentLink", where),
    ]
    assert "sandboxd.trust" not in json.dumps(shown)
