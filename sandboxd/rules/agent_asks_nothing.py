"""The repository lets an AI agent act without asking.

## What it is

`permissions.defaultMode` `bypassPermissions`, a `permissions.allow` that fits every command,
`enableAllProjectMcpServers`, `approval_policy = "never"`, `trust` of an MCP server: a setting of the
repository that leaves out the question before the agent acts. A warning is a permission for one command that runs
whatever stands behind it (`bash`, `npx`, `docker`), in settings, in `allowed-tools` of commands and skills, in
`.cursor/cli.json`, `.gemini/settings.json`, `opencode.json` or as a `prefix_rule` of `.codex/rules/`.

## Why it is bad

An agent does what it reads: an issue, a web page, a comment in a dependency. The question before it acts
is what keeps that from your machine, and here the repository answers it.

    "permissions": { "defaultMode": "bypassPermissions" }

## What to do instead

Remove it. An agent that works unattended belongs into a sandbox (`sandboxd init --profile agent`), and
may then be given a free hand by who runs it, not by the repository: `sandboxd agent NAME` does so inside, on a
private copy.

## Under gVisor

What the agent does inside stays inside. The setting holds for each agent that opens the folder, also for
one on the host.

## References

- https://code.claude.com/docs/en/permissions
- https://developers.openai.com/codex/agent-approvals-security
- https://nvd.nist.gov/vuln/detail/CVE-2025-53773
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
    id="agent-asks-nothing",
    summary="the repository lets an AI agent act without asking",
    severity=Severity.ERROR,
    since="0.1.0",
    why="text that the agent reads decides what runs on the host",
)


def check(subject: AgentConfig, host: HostFacts) -> Iterator[Finding]:
    for switch in subject.questions:
        value = switch.value
        message = f"`{value.origin.key}` is `{value.written}`: {subject.agent} {switch.effect}"
        yield at_switch(
            META,
            switch,
            message,
            f"{value.origin.key}={value.written}",
            "the agent asks before it acts",
        )
