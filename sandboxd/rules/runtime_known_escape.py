"""The runtime that this container would use has a known way out, repaired in a later version.

## What it is

The versions that the engine tells (runc, containerd, Docker Desktop, runsc) are compared with a
table of published escapes; see `docs/versions.md`. What needs more than the container itself, such
as a build or a checkpoint, is left to `sandboxd doctor`.

## Why it is bad

The rest of the configuration may be as tight as it can be: the hole is below it. CVE-2024-21626
needs no more than a working directory, CVE-2025-31133 an image that is started twice.

## What to do instead

Update the component. Until then use gVisor, which does not use runc at run time (builds still do).
A distribution repairs under its own numbers: where its package is known, that decides; else this
is a hint, and the package's changelog has the answer, `apt changelog runc`.

## Under gVisor

Only escapes from gVisor itself are reported.

## References

- https://github.com/opencontainers/runc/security/advisories
- https://github.com/moby/moby/security/advisories
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_container, at_value
from sandboxd.rules._runtime import shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="runtime-known-escape",
    summary="the runtime's version has a known way out",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a hole in the runtime lets out what the configuration keeps in",
)

_BELOW_RUNC = ("runc", "containerd", "docker-desktop")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if host.engine is None:
        return
    from sandboxd.host.advisories.versions import LABELS, warnings

    relevant = _BELOW_RUNC if shares_kernel(subject, host) else ("runsc",)
    relevant_warnings = [w for w in warnings(host) if w.component in relevant and not w.condition]
    for component in dict.fromkeys(warned.component for warned in relevant_warnings):
        ours = [warned for warned in relevant_warnings if warned.component == component]
        ids = tuple(dict.fromkeys(i for warned in ours for i in warned.advisory.ids))
        version = ours[0].version
        repair = (
            f"update to {ours[0].repaired} or later" if ours[0].repaired else "not repaired so far"
        )
        message = (
            f"this machine has {LABELS[component]} {version}, with {len(ids)} known "
            f"way{'s' if len(ids) > 1 else ''} out ({', '.join(ids)}): {repair}"
        )
        is_question = all(warned.repackaged for warned in ours)
        severity = Severity.HINT if is_question else Severity.WARNING
        if subject.runtime is not None:
            yield at_value(META, subject.runtime, message, f"{component} {version}", severity)
        else:
            yield at_container(META, subject, message, f"{component} {version}", severity=severity)
