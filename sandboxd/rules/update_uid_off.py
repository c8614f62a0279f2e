"""The user inside keeps an id of its own.

## What it is

`"updateRemoteUserUID": false`. On Linux, the dev container CLI otherwise gives the user inside
the id of whoever opens the project.

## Why it is bad

With another id the files of the workspace cannot be written, or belong to nobody known on the
host afterwards. What people do about it is worse than the problem: `chmod 777`, or root.

## What to do instead

Remove it. If the image must not be rebuilt (the id is changed by a build as root), create the
user with id 1000, which most Linux users have. A user that is named by its number (`1000:1000`)
was meant to have it.

## Under gVisor

No difference. The build that changes the id runs outside of gVisor, though, which is a good
reason to keep it off: then allow it with that reason.

## References

- https://containers.dev/implementors/json_reference/#general-properties
- https://code.visualstudio.com/remote/advancedcontainers/add-nonroot-user
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Property

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="update-uid-off",
    summary="the user inside keeps an id of its own",
    severity=Severity.HINT,
    since="0.1.0",
    why="files of the workspace get an owner that fits nobody, and people answer with root",
    needs=(Property("devcontainer", "updateRemoteUserUID"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    root = subject.tree.root
    if root is None or root.kind != "object":
        return
    node = root.get("updateRemoteUserUID")
    if node is None or node.value is not False:
        return
    user = root.get("remoteUser") or root.get("containerUser")
    if user is not None and (user.value == "root" or str(user.value)[:1].isdigit()):
        return
    yield at_node(
        META,
        subject,
        node,
        "on Linux the user inside may not be able to write the workspace",
        "false",
        remedies=(
            Remedy(
                "let the tools adapt the id",
                safe=False,
                changes=(Remove(value_of(subject, node, "updateRemoteUserUID")),),
                caution="the image is built once more, as root",
            ),
        ),
    )
