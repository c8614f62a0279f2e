"""An AI agent may do everything without asking.

## What it is

`chat.tools.autoApprove`, `chat.tools.global.autoApprove` or `claudeCode.allowDangerouslySkipPermissions` on,
a rule of `chat.tools.terminal.autoApprove` that fits every command or one of `chat.tools.edits.autoApprove`
that fits every file, and their relatives for pages, default rules and permission levels, in settings that
the repository brings, with dots or as nested objects. A warning where they hold in the container alone
(`customizations.vscode.settings`): the agent then acts there, and on the workspace. A warning, too, is a rule
for one command that runs whatever stands behind it, such as `bash` or `npx`.

## Why it is bad

An agent does what it reads: an issue, a web page, a comment in a dependency. The question before each
command is what keeps that from your machine. CVE-2025-53773 was an agent talked into writing this very
setting:

    "chat.tools.autoApprove": true

## What to do instead

Remove it. An agent that works unattended belongs into a sandbox (`sandboxd init --profile agent`), and
may then be given a free hand by who runs it, not by the repository: `sandboxd agent NAME` does so inside, on a
private copy. A setting that is to hold in the container alone belongs into `customizations.vscode.settings` of
devcontainer.json. No fix moves it there: a fix edits one file.

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
from sandboxd.model.open_commands import runs_anything
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

_COMMANDS, _FILES, _PAGES = "run commands", "change every file of the folder", "fetch every page"
_SWITCHES: dict[str, tuple[tuple[object, ...], str]] = {
    "chat.tools.autoApprove": ((True,), _COMMANDS),
    "chat.tools.global.autoApprove": ((True,), _COMMANDS),
    "chat.tools.edits.autoApprove": ((True,), _FILES),
    "chat.tools.terminal.autoApprove": ((True,), _COMMANDS),
    "chat.tools.terminal.ignoreDefaultAutoApproveRules": (
        (True,),
        "run what is refused by default, such as `rm` and `curl`,",
    ),
    "chat.permissions.default": (("autoApprove", "autopilot"), _COMMANDS),
    "claudeCode.allowDangerouslySkipPermissions": ((True,), _COMMANDS),
    "claudeCode.initialPermissionMode": (("bypassPermissions",), _COMMANDS),
    "github.copilot.chat.claudeAgent.allowDangerouslySkipPermissions": ((True,), _COMMANDS),
}
_RULES = (
    "chat.tools.terminal.autoApprove",
    "chat.agent.terminal.autoApprove",
    "github.copilot.chat.agent.terminal.allowList",
)
_URLS = "chat.tools.urls.autoApprove"
_EVERY_PAGE = ("*", "https://*", "http://*", "https://*/*", "**")
_EVERYTHING = ("*", "/.*/", "/^.*$/", "/.*/s", "/.+/", "/^.*/")
_EDITS = "chat.tools.edits.autoApprove"
_EVERY_FILE = ("**", "**/*")


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    inside = subject.is_inside
    for name, (weak, effect) in _SWITCHES.items():
        for value in subject.named(name):
            if value.value in weak and isinstance(value.value, (bool, str)):
                yield _finding(value, name, effect, "", inside)
    for name in _RULES:
        for key, value in subject.below(name):
            # `{"approve": true}` is the long form of `true`.
            pattern = key.removesuffix("/approve")
            if value.value is True and pattern in _EVERYTHING:
                yield _finding(value, name, _COMMANDS, pattern, inside)
            elif value.value is True and runs_anything(pattern):
                finding = _finding(value, name, _COMMANDS, pattern, inside)
                yield finding._replace(severity=Severity.WARNING)
    for pattern, value in subject.below(_EDITS):
        if value.value is True and pattern in _EVERY_FILE:
            yield _finding(value, _EDITS, _FILES, pattern, inside)
    for key, value in subject.below(_URLS):
        # A page is asked about twice: before it is fetched, and before its text is used.
        pattern = key.removesuffix("/approveRequest").removesuffix("/approveResponse")
        if value.value is True and pattern in _EVERY_PAGE:
            yield _finding(value, _URLS, _PAGES, pattern, inside)


def _finding(value: Value[object], name: str, effect: str, pattern: str, inside: bool) -> Finding:
    where = " in the container" if inside else " on this machine"
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
        f"`{name}`{which} lets agents {effect}{where if effect == _COMMANDS else ''} without asking",
        f"{name}/{pattern}" if pattern else name,
        Severity.WARNING if inside or effect == _PAGES else Severity.ERROR,
        remedies=(remedy,),
    )
