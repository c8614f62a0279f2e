"""An AI agent may do everything without asking.

## What it is

`chat.tools.autoApprove` or `chat.tools.global.autoApprove` on, or a rule of
`chat.tools.terminal.autoApprove` that fits every command, in settings that the repository brings.

## Why it is bad

An agent does what it reads: an issue, a web page, a comment in a dependency. The question before each
command is what keeps that from your machine. CVE-2025-53773 was an agent talked into writing this very
setting:

    "chat.tools.autoApprove": true

## What to do instead

Remove it. An agent that works unattended belongs into a sandbox (`sandboxd init --profile agent`), and
may then be given a free hand by who runs it, not by the repository.

## Under gVisor

In a folder that is open in a gVisor container the agent's commands run inside. The setting holds for
the folder, also when it is opened on the host.

## References

- https://code.visualstudio.com/docs/editing/workspaces/workspace-trust
- https://nvd.nist.gov/vuln/detail/CVE-2025-53773
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorSettings

META = RuleMeta(
    id="vscode-agent-auto-approve",
    summary="an AI agent may do everything without asking",
    severity=Severity.ERROR,
    since="0.1.0",
    why="text that the agent reads decides what runs on the host",
)

_SWITCHES = ("chat.tools.autoApprove", "chat.tools.global.autoApprove")
_RULES = ("chat.tools.terminal.autoApprove/", "github.copilot.chat.agent.terminal.allowList/")
_EVERYTHING = ("*", "/.*/", "/^.*$/", "/.*/s", "/.+/", "/^.*/")


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for value in subject.scalars:
        key = value.origin.key
        fits_all = key.startswith(_RULES) and key.partition("/")[2] in _EVERYTHING
        if value.value is not True or not (key in _SWITCHES or fits_all):
            continue
        name, _, pattern = key.partition("/")
        which = f" for `{pattern}`" if pattern else ""
        yield at_value(
            META,
            value,
            f"`{name}`{which} lets agents run commands on this machine without asking",
            key,
            remedies=(
                Remedy(
                    "remove the setting",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the agent asks before it runs something",
                ),
            ),
        )
