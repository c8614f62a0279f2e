"""Files of agents: what each names that runs, and nothing of a file that is none of theirs."""

from __future__ import annotations

import pytest

from sandboxd import formats
from sandboxd.model.agent import AgentConfig
from sandboxd.text import SourceText

_CODEX = '{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "./hook.py"}]}]}}'
_MARKET = """{
  "extraKnownMarketplaces": {"ours": {"source": {"source": "github", "repo": "someone/market"}}},
  "enabledPlugins": {"tool@ours": true, "other@claude-plugins-official": true, "off@ours": false}
}"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".codex/hooks.json", _CODEX, [("./hook.py", "when a session starts")]),
        (
            ".claude/settings.json",
            _MARKET,
            [("tool@ours", "as a plug-in of a market that this file names")],
        ),
        ("opencode.json", '{"plugin": ["extra"]}', [("extra", "as a plug-in")]),
        (".github/agents/a.agent.md", "---\nname: a\n---\nHooks: none\n", []),
        (".github/agents/a.agent.md", "---\nname: a: b\n---\n", []),
        (".github/agents/a.agent.md", "no settings\n---\nhooks:\n---\n", []),
        (
            ".github/agents/a.agent.md",
            "\ufeff---\r\nhooks:\r\n  Stop:\r\n  - command: ./x\r\n---\r\n",
            [("./x", "when an answer ends")],
        ),
        ("sbxenv.yaml", "lifecycle: [1, {a: 2}]\nsecrets: x\nmcp: {servers: {}}\n", []),
        (".cursor/cli.json", '{"permissions": {"allow": "Shell(*)"}}', []),
    ],
)
def test_each_program_of_an_agent_is_found_with_its_occasion(
    path: str, text: str, expected: list[tuple[str, str]]
) -> None:
    source = SourceText(f"/project/{path}", text)
    kind = formats.find(source.path, text)
    assert kind is not None
    programs = [
        program
        for _, subject in kind.subjects(kind.parse(source))
        if isinstance(subject, AgentConfig)
        for program in subject.programs
    ]
    assert [(program.command.value, program.occasion) for program in programs] == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/agents/list.md", "# Agents\n"),
        ("src/hooks/use.json", '{"hooks": {}}'),
        ("src/commands/run.md", "---\nallowed-tools: Bash(*)\n---\n"),
    ],
)
def test_files_of_others_are_none_of_theirs(path: str, text: str) -> None:
    kind = formats.find(f"/project/{path}", text)
    assert kind is None or kind.NAME not in ("agent_definitions", "copilot_hooks")


def test_a_setting_is_marked_where_it_stands_in_the_file() -> None:
    text = "---\nname: a\nhooks:\n  Stop:\n    - command: ./x\n---\n"
    source = SourceText("/project/.github/agents/a.agent.md", text)
    kind = formats.get("agent_definitions")
    config = next(s for _, s in kind.subjects(kind.parse(source)) if isinstance(s, AgentConfig))
    place = config.programs[0].command.place
    assert place is not None and text[place.span.start : place.span.end] == "./x"


@pytest.mark.parametrize(
    ("settings", "problems"), [("description: a: b", 0), ("description: a: b\nhooks: {}", 1)]
)
def test_settings_that_are_no_yaml_are_told_of_where_something_acts(
    settings: str, problems: int
) -> None:
    source = SourceText("/project/.github/agents/a.agent.md", f"---\n{settings}\n---\n")
    assert bool(formats.get("agent_definitions").parse(source).tree.problems) is bool(problems)
