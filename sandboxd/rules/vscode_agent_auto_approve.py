"""An AI agent may do everything without asking.

## What it is

`chat.tools.autoApprove`, `chat.tools.global.autoApprove` or `claudeCode.allowDangerouslySkipPermissions` on,
a rule of `chat.tools.terminal.autoApprove` that fits every command or one of `chat.tools.edits.autoApprove`
that fits every file, in settings that the repository brings, with dots or as nested objects.

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
    from sandboxd.model.values import Value

META = RuleMeta(
    id="vscode-agent-auto-approve",
    summary="an AI agent may do everything without asking",
    severity=Severity.ERROR,
    since="0.1.0",
    why="text that the agent reads decides what runs on the host",
)

_SWITCHES = (
    "chat.tools.autoApprove",
    "chat.tools.global.autoApprove",
    "claudeCode.allowDangerouslySkipPermissions",
)
_RULES = (
    "chat.tools.terminal.autoApprove",
    "github.copilot.chat.agent.terminal.allowList",
)
_EVERYTHING = ("*", "/.*/", "/^.*$/", "/.*/s", "/.+/", "/^.*/")
_EDITS = "chat.tools.edits.autoApprove"
_EVERY_FILE = ("**", "**/*")


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for name in _SWITCHES:
        for value in subject.named(name):
            if value.value is True:
                yield _finding(value, name, "run commands on this machine", "")
    for name in _RULES:
        for key, value in subject.below(name):
            # `{"approve": true}` is the long form of `true`.
            pattern = key.removesuffix("/approve")
            if value.value is True and pattern in _EVERYTHING:
                yield _finding(value, name, "run commands on this machine", pattern)
    for pattern, value in subject.below(_EDITS):
        if value.value is True and pattern in _EVERY_FILE:
            yield _finding(value, _EDITS, "change every file of the folder", pattern)


def _finding(value: Value[object], name: str, effect: str, pattern: str) -> Finding:
    which = f" for `{pattern}`" if pattern else ""
    remedy = Remedy(
        "remove the setting",
        safe=False,
        changes=(Remove(value),),
        caution="the agent asks before it runs something",
    )
    return at_value(
        META,
        value,
        f"`{name}`{which} lets agents {effect} without asking",
        f"{name}/{pattern}" if pattern else name,
        remedies=(remedy,),
    )
