"""Options of docker have no effect beside a Compose file.

## What it is

`runArgs`, `appPort` or `workspaceMount` in a devcontainer.json that has a `dockerComposeFile`.
The dev container tools drop them without a word.

## Why it is bad

What was to harden the container is not there: no capability is dropped, no other runtime is
used, no file system is read-only, and `up` reports success. It is a hint where nothing that
hardens is lost.

    docker inspect -f '{{.HostConfig.Runtime}}' ...    # runc, in spite of --runtime=runsc

## What to do instead

Write it into the service: `runtime`, `cap_drop`, `security_opt`, `read_only`. Top-level
`securityOpt`, `capAdd`, `privileged`, `init`, `mounts` and `containerEnv` do have an effect.

## Under gVisor

The runtime itself is lost in this way.

## References

- https://github.com/microsoft/vscode-remote-release/issues/1299
- https://containers.dev/implementors/json_reference/#compose-specific-properties
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
    id="runargs-ignored-in-compose",
    summary="options of docker have no effect beside a Compose file",
    severity=Severity.WARNING,
    since="0.1.0",
    why="hardening that stands there is not in the container, and nothing says so",
    needs=(Property("devcontainer", "dockerComposeFile"),),
)


_HARDENING = (
    "--runtime",
    "--cap-drop",
    "--read-only",
    "no-new-privileges",
    "seccomp",
    "apparmor",
    "--network",
    "--net=",
    "--user",
    "-u",
    "--pids-limit",
    "--memory",
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    root = subject.tree.root
    if root is None or root.kind != "object" or root.get("dockerComposeFile") is None:
        return
    for key in ("runArgs", "appPort", "workspaceMount"):
        member = root.member(key)
        if member is None or not (member.value.items or member.value.value):
            continue
        texts = [item.text() or "" for item in member.value.items]
        lost = [text for text in texts if _hardens(text)] if key == "runArgs" else []
        what = f": `{lost[0]}` is not in force" if lost else ""
        yield at_node(
            META,
            subject,
            member.key,
            f"`{key}` has no effect beside `dockerComposeFile`{what}",
            key,
            Severity.WARNING if lost else Severity.HINT,
        )


def _hardens(text: str) -> bool:
    if "unconfined" in text or text.startswith(("--network=host", "--net=host")):
        return False
    return any(text.startswith(name) or f"={name}" in text for name in _HARDENING)
