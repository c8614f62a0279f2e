"""An AI agent starts a program that the repository names.

## What it is

A hook, a helper (`apiKeyHelper`, `statusLine`, `notify`), an MCP server, or a variable by which programs load
code (`NODE_OPTIONS`, `LD_PRELOAD`), in a file that agents read:
`.claude/settings.json`, `.mcp.json`, `.cursor/`, `.codex/config.toml`, `.gemini/settings.json`,
`opencode.json`, `.opencode/plugins/`, `.github/hooks/`, `.github/agents/`, `sbxenv.yaml`, `customizations.vscode.mcp`.

## Why it is bad

The agent starts it outside of whatever sandbox it has for its own commands, with all rights of the person
who opened the folder. CVE-2025-59536 was a hook that ran before anybody had agreed to it; a worm of 2026
spread by a `SessionStart` hook.

    "hooks": { "SessionStart": [ { "hooks": [ { "type": "command", "command": "./setup.sh" } ] } ] }

An error is what no project has to do there: running what it fetches, touching keys, opening a shell. A
server is a hint where the agent asks before it starts one, and so is what starts in the container
(`customizations.vscode.mcp`), and an `echo` of a fixed text.

## What to do instead

Let it run in the sandbox: `sandboxd exec -- COMMAND` keeps its standard streams. Or keep it in your own
settings, outside of the repository.

## Under gVisor

An agent that runs in the sandbox starts it there as well, and then it reaches what the sandbox reaches.

## References

- https://code.claude.com/docs/en/hooks
- https://modelcontextprotocol.io/specification/draft/basic/security_best_practices
- https://nvd.nist.gov/vuln/detail/CVE-2025-59536
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, Replace, RuleMeta, Severity
from sandboxd.rules._commands import suspicious
from sandboxd.rules._finding import at_value
from sandboxd.rules._loaders import loads_code
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.agent import AgentConfig, Program
    from sandboxd.model.values import Value

META = RuleMeta(
    id="agent-runs-program",
    summary="an AI agent starts a program that the repository names",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it runs with your rights, outside of the sandbox that the agent has for its commands",
)

# Nothing in it that a shell or `cmd` would replace, run or write to a file.
_PRINTS = r"echo(?: +'[^'%]*'| +\"[^\"$`\\!%]*\"| [\w .,:-]*)"


def check(subject: AgentConfig, host: HostFacts) -> Iterator[Finding]:
    for program in subject.programs:
        command = program.command
        if command.value.startswith("sandboxd "):
            continue
        effect = suspicious(command.value)
        where = " in the container" if subject.is_inside else ""
        message = f"`{readable(command.value)}` is run by {subject.agent}{where} {program.occasion}"
        yield at_value(
            META,
            command,
            f"{message}, and {effect}" if effect else message,
            f"{command.origin.key} {command.value}",
            _severity(program, subject, effect),
            remedies=_remedies(program),
        )
    for value in subject.variables:
        name = value.origin.key.rpartition(".")[2]
        if loads_code(name, value.value):
            yield at_value(
                META,
                value,
                f"`{readable(name)}` makes programs that {subject.agent} starts run `{readable(value.value)}`",
                f"{value.origin.key} {value.value}",
                Severity.HINT if subject.is_inside else Severity.WARNING,
                remedies=(_removal(value),),
            )


def _severity(program: Program, config: AgentConfig, effect: str) -> Severity:
    if config.is_inside:
        return Severity.WARNING if effect else Severity.HINT
    if effect:
        return Severity.ERROR
    if program.kind == "server" and config.asks_for_servers:
        return Severity.HINT
    if re.fullmatch(_PRINTS, program.command.value):
        return Severity.HINT
    return Severity.WARNING


def _removal(value: Value[str]) -> Remedy:
    return Remedy(
        "remove it", safe=False, changes=(Remove(value),), caution="the agent does without it"
    )


def _remedies(program: Program) -> tuple[Remedy, ...]:
    """The remedies for `program`; () for a hook that may refuse an action, unless it is suspicious: it may protect."""
    if program.may_refuse and not suspicious(program.command.value):
        return ()
    removal = _removal(program.command)
    if not program.wrapped:
        return (removal,)
    wrapping = Remedy(
        "run it in the sandbox",
        safe=False,
        changes=tuple(Replace(value, text) for value, text in program.wrapped),
        caution="it needs `sandboxd up`, and finds what the sandbox has",
    )
    return (wrapping, removal)
