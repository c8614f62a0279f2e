"""Two users are named for the container.

## What it is

`--user` in `runArgs` and `containerUser`. Docker takes the one in `runArgs`, and the dev
container CLI then takes it for `remoteUser` as well.

## Why it is bad

One reads in the file that the container runs as somebody, and it runs as somebody else. A number
without an entry in `/etc/passwd` breaks editors.

## What to do instead

Keep `containerUser` and `remoteUser`.

## Under gVisor

No difference.

## References

- https://containers.dev/implementors/json_reference/#remoteuser
- https://github.com/microsoft/vscode-remote-release/issues/6783
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_node
from sandboxd.rules._needs import Property
from sandboxd.rules._run_args import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="runargs-user-overrides",
    summary="two users are named for the container",
    severity=Severity.HINT,
    since="0.1.0",
    why="the one in runArgs counts, and the other is what people read",
    needs=(Property("devcontainer", "runArgs"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    parsed = arguments(subject)
    root = subject.tree.root
    user = root.get("containerUser") if root is not None else None
    flag = parsed.last("user") if parsed is not None else None
    if flag is None or user is None or not user.text() or flag.value == user.text():
        return
    yield at_node(
        META,
        subject,
        user,
        f"`{user.value}` is not used: `--user` in `runArgs` says `{flag.value}`",
        str(flag.value),
    )
