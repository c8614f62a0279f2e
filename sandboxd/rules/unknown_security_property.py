"""A property that is to harden does not exist.

## What it is

`capDrop`, `cap_drop`, `security_opt`, `readOnly`, `runtime`, `network`, `user` and others at the
top of a devcontainer.json. They are words of docker or of Compose, and the dev container tools
ignore them.

## Why it is bad

The file looks hardened and is not; nothing tells you.

## What to do instead

- `capDrop`: `"runArgs": ["--cap-drop=ALL"]`
- `readOnly`, `runtime`, `network`: `"runArgs": ["--read-only", "--runtime=runsc",
  "--network=none"]`
- `security_opt`, `cap_add`: `securityOpt`, `capAdd`
- `user`: `containerUser` or `remoteUser`; `env`: `containerEnv`; `ports`: `forwardPorts`

## Under gVisor

`runtime` is the one that chooses gVisor.

## References

- https://containers.dev/implementors/json_reference/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_node
from sandboxd.rules._needs import Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="unknown-security-property",
    summary="a property that is to harden does not exist",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the dev container tools ignore it without a word",
    needs=(
        Property("devcontainer", "capDrop"),
        Property("devcontainer", "cap_drop"),
        Property("devcontainer", "cap-drop"),
        Property("devcontainer", "cap_add"),
        Property("devcontainer", "security_opt"),
        Property("devcontainer", "securityOpts"),
        Property("devcontainer", "securityOptions"),
        Property("devcontainer", "readOnly"),
        Property("devcontainer", "readonly"),
        Property("devcontainer", "read_only"),
        Property("devcontainer", "runtime"),
        Property("devcontainer", "network"),
        Property("devcontainer", "network_mode"),
        Property("devcontainer", "networkMode"),
        Property("devcontainer", "noNewPrivileges"),
        Property("devcontainer", "seccomp"),
        Property("devcontainer", "apparmor"),
        Property("devcontainer", "user"),
        Property("devcontainer", "pidsLimit"),
        Property("devcontainer", "memory"),
        Property("devcontainer", "runargs"),
        Property("devcontainer", "run_args"),
    ),
)


_MEANT = {
    "capDrop": '`"runArgs": ["--cap-drop=ALL"]`',
    "cap_drop": '`"runArgs": ["--cap-drop=ALL"]`',
    "cap-drop": '`"runArgs": ["--cap-drop=ALL"]`',
    "cap_add": "`capAdd`",
    "security_opt": "`securityOpt`",
    "securityOpts": "`securityOpt`",
    "securityOptions": "`securityOpt`",
    "readOnly": '`"runArgs": ["--read-only"]`',
    "readonly": '`"runArgs": ["--read-only"]`',
    "read_only": '`"runArgs": ["--read-only"]`',
    "runtime": '`"runArgs": ["--runtime=NAME"]`',
    "network": '`"runArgs": ["--network=NAME"]`',
    "network_mode": '`"runArgs": ["--network=NAME"]`',
    "networkMode": '`"runArgs": ["--network=NAME"]`',
    "noNewPrivileges": '`"securityOpt": ["no-new-privileges=true"]`',
    "seccomp": '`"securityOpt": ["seccomp=PATH"]`',
    "apparmor": '`"securityOpt": ["apparmor=NAME"]`',
    "user": "`containerUser` or `remoteUser`",
    "pidsLimit": '`"runArgs": ["--pids-limit=4096"]`',
    "memory": '`"runArgs": ["--memory=4g"]`',
    "runargs": "`runArgs`",
    "run_args": "`runArgs`",
}


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    root = subject.tree.root
    if root is None or root.kind != "object":
        return
    for key, _ in root.members:
        correction = _MEANT.get(str(key.value))
        if correction is not None:
            yield at_node(
                META,
                subject,
                key,
                f"`{key.value}` is no property of devcontainer.json and has no effect: write {correction}",
                str(key.value),
            )
