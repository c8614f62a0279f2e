"""Completion in files of agents and editors: the values that keep a guard, where its setting is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd import kinds
from sandboxd.model.safe_values import SAFE_VALUES
from tests.unit.lsp.talk import Client


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
    assert set(SAFE_VALUES) <= set(kinds.KINDS)
