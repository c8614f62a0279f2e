"""The editor's own protection is switched off.

## What it is

`security.workspace.trust.enabled` off, `security.workspace.trust.untrustedFiles` open,
`task.allowAutomaticTasks` on, `http.proxyStrictSSL` off, in `.vscode/settings.json` or among
`customizations.vscode.settings` of a devcontainer.json.

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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorSettings

META = RuleMeta(
    id="vscode-settings-weak",
    summary="the editor's own protection is switched off",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the repository decides on the guard that is to protect from repositories",
)

_WEAK: dict[str, tuple[object, str]] = {
    "security.workspace.trust.enabled": (False, "no folder is asked about before its code runs"),
    "security.workspace.trust.untrustedFiles": (
        "open",
        "files from elsewhere open in a trusted window without a question",
    ),
    "task.allowAutomaticTasks": ("on", "tasks of the folder start by themselves"),
    "http.proxyStrictSSL": (False, "whoever is on the way can replace extensions and updates"),
}


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for value in subject.scalars:
        key = value.origin.key
        if key not in _WEAK or value.value != _WEAK[key][0]:
            continue
        yield at_value(
            META,
            value,
            f"`{key}` is `{value.written}`: {_WEAK[key][1]}",
            key,
            remedies=(
                Remedy(
                    "remove the setting",
                    safe=False,
                    changes=(Remove(value),),
                    caution="VS Code asks again, or refuses a certificate it does not know",
                ),
            ),
        )
