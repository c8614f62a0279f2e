"""A read-only container has no writable home or /tmp.

## What it is

`--read-only` without a tmpfs, a volume or another writable mount over the user's home and over
`/tmp`.

## Why it is bad

The dev container CLI keeps a mark in the home for each hook that has run. Where it cannot write
it, it skips every hook and says that all went well; editors fail to install their server. Then
`--read-only` goes again.

## What to do instead

Add `--tmpfs=/tmp:rw,exec` and a tmpfs or volume over the home: `--tmpfs=/home/dev:rw,exec`.

## Under gVisor

No difference.

## References

- https://github.com/microsoft/vscode-remote-release/issues/2755
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._users import effective_user, is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="read-only-without-writable-home",
    summary="a read-only container has no writable home or /tmp",
    severity=Severity.WARNING,
    since="0.1.0",
    why="hooks are skipped without a word, and editors cannot install their server",
    needs=(Field("read_only_rootfs"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.read_only_rootfs
    # Nobody works in a service of Compose or a Pod, and no editor runs hooks there.
    if value is None or not value.value or value.origin.key == "read_only" or subject.on_cluster:
        return
    user = effective_user(subject)
    targets = [
        mount.value.target.rstrip("/")
        for mount in subject.mounts
        if not mount.value.read_only and mount.value.target
    ]
    if user is None:
        homes: tuple[str, ...] = ("/home", "/root")
    else:
        name = user.value.partition(":")[0]
        homes = ("/root",) if is_root(user.value) else (f"/home/{name}",)
        if name.isdecimal() and not is_root(user.value):
            homes = ("/home",)
    missing = [] if "/tmp" in targets else ["`/tmp`"]  # noqa: S108
    if not any(
        lies_in(target, home) or lies_in(home, target) for target in targets for home in homes
    ):
        missing.append("the home")
    if missing:
        yield at_value(
            META,
            value,
            f"nothing writable is mounted over {' and '.join(missing)}: hooks are skipped silently",
            "home" if len(missing) == 1 and missing[0] != "`/tmp`" else "tmp",
        )
