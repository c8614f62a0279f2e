"""One client honours this setting, another does not.

## What it is

A setting that protects the container and that a client of devcontainer.json is known to drop, to
refuse or to read in another way: options of `runArgs` that harden, a Compose file, a relative
path of a seccomp profile, `securityOpt`, `readonly` of a mount. The clients that were measured or read:
`@devcontainers/cli` 0.89, which VS Code uses, `devcontainer-rs` 0.0.66, `dvt` 0.5 and Zed of November 2026.

## Why it is bad

The file is reviewed with one client and opened with another. A client that refuses tells; one
that drops a setting starts a weaker container without a word.

## What to do instead

Write what every client reads: `${localWorkspaceFolder}/...` for paths, top-level properties
where there are some. Look at the container after its start: `sandboxd drift`, `sandboxd verify`.

No fix is offered: the other spelling depends on the tools that the project wants to serve.

## Under gVisor

The runtime is chosen by `runArgs`, so it is among what may be refused.

## References

- https://containers.dev/supporting
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.clients import not_honouring
from sandboxd.rules._finding import at_node
from sandboxd.rules._needs import Property

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

META = RuleMeta(
    id="client-differs",
    summary="one client honours this setting, another does not",
    severity=Severity.HINT,
    since="0.1.0",
    why="the file is reviewed with one client and opened with another",
    needs=(
        Property("devcontainer", "runArgs"),
        Property("devcontainer", "dockerComposeFile"),
        Property("devcontainer", "securityOpt"),
        Property("devcontainer", "mounts"),
    ),
)


_HARDENING = (
    "--runtime",
    "--cap-drop",
    "--read-only",
    "--security-opt",
    "--pids-limit",
    "--network",
)
# The name of its command rather than of its package.
_KNOWN_AS = {"dvt-cli": "`dvt`"}
_SAYS = {
    "dropped": "leaves it out without a word",
    "refused": "stops with an error",
    "other": "reads it in another way",
}


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    root = subject.tree.root
    if root is None or root.kind != "object":
        return
    for setting, node in _settings(root):
        subject_name = f"a {setting}" if " " in setting else f"`{setting}`"
        for client, does in not_honouring(setting).items():
            if client != "dev container CLI":
                yield at_node(
                    META,
                    subject,
                    node,
                    f"{subject_name} is not for every tool: {_KNOWN_AS.get(client, client)} "
                    f"{_SAYS[str(does)]}",
                    f"{setting}:{client}",
                )


def _settings(root: Node) -> Iterator[tuple[str, Node]]:
    """The settings of the table that the file has, each with what to show."""
    arguments = root.member("runArgs")
    compose = root.member("dockerComposeFile")
    if compose is not None:
        yield "dockerComposeFile", compose.key
    elif arguments is not None:
        texts = [item.text() or "" for item in arguments.value.items]
        if any(text.startswith(_HARDENING) for text in texts):
            yield "runArgs", arguments.key
    for mount in _items(root, "mounts"):
        fields = [field.strip() for field in (mount.text() or "").split(",")]
        if {"readonly", "ro", "readonly=true", "ro=true"} & set(fields):
            yield "readonly in a mount text", mount
            break
    options = root.member("securityOpt")
    if options is not None and any(_hardens(item.text() or "") for item in options.value.items):
        yield "securityOpt", options.key
    for item in _items(root, "securityOpt"):
        name, _, path = (item.text() or "").replace(":", "=", 1).partition("=")
        if (name == "seccomp" and path.startswith(".")) or (
            path.endswith(".json") and path[0] not in "/$"
        ):
            yield "relative seccomp path", item


def _items(root: Node, key: str) -> Sequence[Node]:
    listed = root.get(key)
    return listed.items if listed is not None else ()


def _hardens(option: str) -> bool:
    """Whether a security option takes away from what the engine gives by itself."""
    name, _, value = option.replace(":", "=", 1).partition("=")
    return name == "no-new-privileges" or (
        name in ("seccomp", "apparmor") and value not in ("", "unconfined")
    )
