"""The repository widens the sandbox that an AI agent has of its own.

## What it is

`sandbox_mode = "danger-full-access"` of Codex, `sandbox.enabled` off or `allowAllUnixSockets` of Claude
Code, and the like, in a file of the repository.

## Why it is bad

The agent's own sandbox is the last thing between a command that it was talked into and your machine. A
socket of this machine may be the engine's, which is root.

    sandbox_mode = "danger-full-access"

## What to do instead

Remove it, and let the agent work in a sandbox from outside: `sandboxd init --profile agent`. There its own
may be switched off by who runs it.

## Under gVisor

What the agent does inside stays inside, whatever it thinks of its own sandbox.

## References

- https://code.claude.com/docs/en/sandboxing
- https://developers.openai.com/codex/concepts/sandboxing
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._agents import at_switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.agent import AgentConfig

META = RuleMeta(
    id="agent-leaves-sandbox",
    summary="the repository widens the sandbox that an AI agent has of its own",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a command that the agent was talked into then runs on this machine",
)


def check(subject: AgentConfig, host: HostFacts) -> Iterator[Finding]:
    for switch in subject.sandbox:
        value = switch.value
        message = f"`{value.origin.key}` is `{value.written}`, which {switch.effect}"
        yield at_switch(
            META, switch, message, value.origin.key, "commands that need more ask for it"
        )
