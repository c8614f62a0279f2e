"""An editor says first what the host took away from the sandbox that runs, by a line above its config."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.lsp.surroundings import Surroundings
from sandboxd.observe.pin import Pin, State, Witness
from sandboxd.status.model import ProjectStatus
from tests.unit.lsp.talk import Client

CONFIG = 'profile = "dev"\n'
LOST = Pin(".envrc", "/w/.envrc", "/p/.envrc", State.LOST, Witness.GOFER, "gone")


@pytest.mark.asyncio
async def test_the_first_line_above_a_config_is_a_lost_pin(tmp_path: Path) -> None:
    config = tmp_path / "sandboxd.toml"
    config.write_text(CONFIG)
    lost: list[Pin] = []

    def status(path: str) -> ProjectStatus:
        return ProjectStatus(path, "running", lost_pins=tuple(lost))

    client = Client(environ={"HOME": str(tmp_path)}, surroundings=Surroundings(status=status))
    where = {"textDocument": {"uri": config.as_uri()}}
    document = {**where["textDocument"], "languageId": "toml", "version": 1, "text": CONFIG}
    client.say("textDocument/didOpen", {"textDocument": document})
    before = [
        each["command"]["title"]
        for each in (await client.ask("textDocument/codeLens", where))["result"]
    ]
    assert not any("PIN LOST" in title for title in before)
    lost.append(LOST)
    after = [
        each["command"]["title"]
        for each in (await client.ask("textDocument/codeLens", where))["result"]
    ]
    assert after[0].startswith("PIN LOST: `.envrc` was replaced or moved")
    assert after[1:] == before
