"""A secret is written into a file that AI agents read.

## What it is

A token with a known form in a variable or header of an MCP server, or among the variables of an agent, or
in the words of a command that it runs.

## Why it is bad

It is in the repository's history and in every clone, and each program that the agent starts has it.

    "env": { "GITHUB_TOKEN": "ghp_..." }

## What to do instead

Name a variable, which most of these files can (`${GITHUB_TOKEN}`), or an input that is asked for. Revoke the
token that was written here.

## Under gVisor

No difference: it is in the files.

## References

- https://code.claude.com/docs/en/mcp
- https://code.visualstudio.com/docs/copilot/customization/mcp-servers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.secret_forms import literal_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.agent import AgentConfig

META = RuleMeta(
    id="agent-secret-literal",
    summary="a secret is written into a file that AI agents read",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it is in the repository's history and in every clone",
)


def check(subject: AgentConfig, host: HostFacts) -> Iterator[Finding]:
    for value in subject.variables:
        kind = literal_token(value.value)
        if kind:
            key = value.origin.key
            yield at_value(META, value, f"`{key}` holds {kind} that is written out", key)
    for program in subject.programs:
        kind = literal_token(program.command.value)
        if kind:
            key = program.command.origin.key
            message = f"the command of `{key}` holds {kind} that is written out"
            yield at_value(META, program.command, message, key)
