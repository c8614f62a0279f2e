"""A workspace file, or a setting, connects the editor to another machine.

## What it is

`remoteAuthority` in a `*.code-workspace` file; an address in `chat.remoteAgentHosts`.

## Why it is bad

Opening the file connects the editor to the place that it names: a container, a machine by ssh, a tunnel.
Whoever has that place then runs extensions beside your editor, and may reach back to it (CVE-2026-47281). An
agent host of somebody else gets your prompts and files (CVE-2026-78462).

    "remoteAuthority": "ssh-remote+somewhere.example"

## What to do instead

Remove it, and connect by hand to a place that you know.

## Under gVisor

No difference: it is about the editor on the host.

## References

- https://code.visualstudio.com/docs/editing/workspaces/multi-root-workspaces
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorSettings

META = RuleMeta(
    id="vscode-remote-authority",
    summary="the repository connects the editor to another machine",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the repository chooses what the editor connects to",
)

_KEY = "remoteAuthority"
_HOSTS = "chat.remoteAgentHosts"
_ADDRESSES = ("address", "sshConfigHost", "url")


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for value in subject.scalars:
        key = value.origin.key.replace("/", ".")
        is_host = key.startswith(_HOSTS) and key.rpartition(".")[2] in _ADDRESSES
        if value.origin.key != _KEY and not is_host:
            continue
        opened = f"`{_HOSTS}`" if is_host else "opening this file"
        yield at_value(
            META,
            value,
            f"{opened} connects the editor to `{readable(value.written)}`",
            _HOSTS if is_host else _KEY,
            remedies=(
                Remedy(
                    "remove it",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the editor works on this machine",
                ),
            ),
        )
