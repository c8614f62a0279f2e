"""Completion: what the host has, and in files of agents and editors the values that keep a guard."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd import formats
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.model.safe_values import SAFE_VALUES
from tests.unit.lsp.talk import Client, at

CONFIG = "file:///w/sandboxd.toml"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (".claude/settings.json", '{"permissions": {"defaultMode": "@"}}', "default"),
        (".vscode/settings.json", '{"chat.permissions.default": "@autopilot"}', "default"),
        (".vscode/settings.json", '{"chat": {"agent": {"sandbox": {"enabled": "@"}}}}', "on"),
        (".codex/config.toml", 'approval_policy = "@never"\n', "on-request"),
        ("a.code-workspace", '{"settings": {"task.allowAutomaticTasks": "@"}}', "off"),
        ("sbxenv.yaml", "sandboxOptions:\n  skills: read@write\n", "readonly"),
    ],
)
async def test_completion_offers_values_that_keep_a_guard(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    before, _, after = text.partition("@")
    client = Client()
    client.open(path.as_uri(), before + after)
    line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    params = {
        "textDocument": {"uri": path.as_uri()},
        "position": {"line": line, "character": column},
    }
    answer = (await client.ask("textDocument/completion", params))["result"]
    assert answer[0]["label"] == expected


def test_each_of_them_is_of_a_kind_that_there_is() -> None:
    assert set(SAFE_VALUES) <= set(formats.KINDS)


@pytest.mark.asyncio
async def test_completion_offers_what_the_host_has() -> None:
    gvisor = Runtime("runsc-sandboxd", "/x", usable=True, gvisor=True)
    host = HostFacts(system="Linux", engine=Engine("unix:///x", runtimes=(gvisor,)))
    client = Client(host=host)
    tables = '[capabilities]\nadd = ["\n[rules]\n\n[network]\nallow = ["\nmode = '
    client.open(CONFIG, f'runtime = \nprofile = "\n{tables}')

    async def labels(line: int, character: int) -> list[str]:
        params = {"textDocument": {"uri": CONFIG}, "position": at(line, character)}
        answer = (await client.ask("textDocument/completion", params))["result"]
        return [item["label"] for item in answer]

    assert '"gvisor"' in await labels(0, 10)
    assert {"dev", "agent"} <= set(await labels(1, 11))
    assert "NET_ADMIN" in await labels(3, 8)
    assert "privileged-container" in await labels(5, 0)
    assert {"github", "pypi"} <= set(await labels(7, 10))
    assert {'"allow"', '"none"', '"open"'} <= set(await labels(8, 7))
    without = Client(host=HostFacts(system="Linux", engine=Engine("unix:///x")))
    without.open(CONFIG, "runtime = ")
    params = {"textDocument": {"uri": CONFIG}, "position": at(0, 10)}
    answer = (await without.ask("textDocument/completion", params))["result"]
    assert '"gvisor"' not in [item["label"] for item in answer]
