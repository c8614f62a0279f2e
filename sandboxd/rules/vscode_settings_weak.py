"""The editor's own protection is switched off.

## What it is

`security.workspace.trust.enabled` off, `security.workspace.trust.untrustedFiles` open,
`task.allowAutomaticTasks` on, `http.proxyStrictSSL` off, `chat.agent.sandbox.enabled` off,
`terminal.integrated.allowInUntrustedWorkspace` on, an answer in `terminal.integrated.autoReplies`, a variable
in `terminal.integrated.env.*` by which programs load code, `chat.tools.terminal.blockDetectedFileWrites`
never: in
`.vscode/settings.json`, a `*.code-workspace` or among `customizations.vscode.settings` of a
devcontainer.json, with dots or as nested objects.

## Why it is bad

Workspace trust is what stands between opening a repository and running its code. VS Code itself ignores
some of these in a folder's settings; editors made from it do not all, and a person who copies them into
the user settings has them everywhere.

    "security.workspace.trust.enabled": false

## What to do instead

Remove the setting. A proxy with a certificate of its own belongs into the system's list of
authorities.

## Under gVisor

No difference: it is about the editor on the host. In a folder that is open in the container, what it
starts runs inside.

## References

- https://code.visualstudio.com/docs/editing/workspaces/workspace-trust
- https://code.visualstudio.com/docs/reference/default-settings
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._loaders import loads_code
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorSettings
    from sandboxd.model.values import Value

META = RuleMeta(
    id="vscode-settings-weak",
    summary="the editor's own protection is switched off",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the repository decides on the guard that is to protect from repositories",
)

_WEAK: dict[str, tuple[tuple[object, ...], str]] = {
    "security.workspace.trust.enabled": ((False,), "no folder is asked about before its code runs"),
    "security.workspace.trust.untrustedFiles": (
        ("open",),
        "files from elsewhere open in a trusted window without a question",
    ),
    "task.allowAutomaticTasks": (("on",), "tasks of the folder start by themselves"),
    "http.proxyStrictSSL": (
        (False,),
        "whoever is on the way can replace extensions and updates",
    ),
    "chat.agent.sandbox.enabled": (
        ("off", False),
        "commands of the agent run outside of the editor's sandbox",
    ),
    "chat.tools.terminal.blockDetectedFileWrites": (
        ("never",),
        "commands of the agent write outside of the folder without a question",
    ),
    "terminal.integrated.allowInUntrustedWorkspace": (
        (True,),
        "a terminal starts in a folder that is not trusted",
    ),
}
_REPLIES = "terminal.integrated.autoReplies"
_SYSTEMS = ("linux", "osx", "windows")


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for name, (weak, effect) in _WEAK.items():
        for value in subject.named(name):
            if value.value in weak and isinstance(value.value, (bool, str)):
                yield _finding(value, f"`{name}` is `{value.written}`: {effect}", name)
    for question, value in subject.below(_REPLIES):
        if value.value is not None:
            effect = f"`{_REPLIES}` answers `{readable(question)}` in every terminal by itself"
            yield _finding(value, effect, f"{_REPLIES}/{question}")
    for system in _SYSTEMS:
        for name, value in subject.below(f"terminal.integrated.env.{system}"):
            if loads_code(name, str(value.value or "")):
                effect = f"`{readable(name)}` makes programs of each terminal run `{readable(value.written)}`"
                yield _finding(value, effect, f"terminal.integrated.env/{name}")


def _finding(value: Value[object], message: str, evidence: str) -> Finding:
    remedy = Remedy(
        "remove the setting",
        safe=False,
        changes=(Remove(value),),
        caution="VS Code goes back to its own default",
    )
    return at_value(META, value, message, evidence, remedies=(remedy,))
