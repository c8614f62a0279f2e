"""The lock file names another Feature than it says.

## What it is

An entry of `devcontainer-lock.json` whose `resolved` is of another repository than its name, or whose
`integrity` is another digest than the one in `resolved`, or that has no digest. Whether the registry
still has that digest is not looked at: that takes the registry.

## Why it is bad

Lock files are long, made by a tool, and hardly read in a review. One line in it decides what is
installed:

    "ghcr.io/devcontainers/features/node:1": {
      "resolved": "ghcr.io/attacker/features/node@sha256:..."

## What to do instead

Write it anew: `devcontainer upgrade --workspace-folder .`, and compare.

## Under gVisor

Features are installed when the image is built, by runc on the host's kernel, as root. The runtime of
the container changes nothing about that.

## References

- https://containers.dev/implementors/features/
- https://containers.dev/implementors/spec/#lockfile
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.feature import parse
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.feature import FeatureLock, LockedFeature
    from sandboxd.model.values import Value

META = RuleMeta(
    id="feature-lock-mismatch",
    summary="the lock file names another feature than it says",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a change that looks like an update installs something else, as root",
)


def check(subject: FeatureLock, host: HostFacts) -> Iterator[Finding]:
    for entry in subject.entries:
        mismatch = _mismatch(entry)
        if mismatch is not None:
            value, message = mismatch
            yield at_value(META, value, message, entry.name.value)


def _mismatch(entry: LockedFeature) -> tuple[Value[str], str] | None:
    name, _, resolved, integrity = entry
    if resolved is None:
        # Archives are locked by their own address.
        return (
            None
            if parse(name.value).source != "registry"
            else (name, f"`{name.value}` has no `resolved`")
        )
    expected, locked = parse(name.value), parse(resolved.value)
    if expected.source == "registry" and expected.id != locked.id:
        return resolved, f"`{name.value}` is resolved to another one, `{locked.id}`"
    if expected.source == "registry" and not locked.version.startswith("sha256:"):
        return resolved, f"`{name.value}` is resolved to a tag, which may move, not to a digest"
    if (
        integrity is not None
        and expected.source == "registry"
        and integrity.value != locked.version
    ):
        return integrity, f"`{name.value}` has two digests: `integrity` differs from `resolved`"
    return None
