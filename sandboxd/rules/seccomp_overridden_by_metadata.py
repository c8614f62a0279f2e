"""A profile in runArgs loses to the image or to a Feature.

## What it is

`--security-opt seccomp=PROFILE` in `runArgs`, and `seccomp=unconfined` in the image's label or
in a Feature.

## Why it is bad

The dev container CLI puts what labels and Features ask for behind `runArgs`, and docker takes
the last one: there is no filter, in spite of the line in the file.

    grep Seccomp /proc/self/status    # 0

## What to do instead

Say it in top-level `securityOpt`, which comes last.

## Under gVisor

gVisor ignores the profile unless `oci-seccomp` is on; it is a hint.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/spec/#merge-logic
- https://github.com/devcontainers/cli/blob/main/src/spec-node/singleContainer.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.model.feature import asks
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="seccomp-overridden-by-metadata",
    summary="a profile in runArgs loses to the image or to a Feature",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what labels and Features ask for comes behind `runArgs`, and the last one counts",
    needs=(Field("security_opt"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    own = [
        option
        for option in subject.security_opt
        if option.value.name == "seccomp" and option.origin.kind == "file"
    ]
    last = subject.option("seccomp")
    if not own or last is None or own[-1].origin.key != "runArgs":
        return
    value = own[-1]
    by = last.origin.describe() if last.origin.kind in ("label", "feature") else ""
    for feature in subject.features:
        if "seccomp=unconfined" in (asks(feature.value) or ()):
            by = f"the Feature `{feature.written}`"
    if not by or value.value.value == "unconfined":
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` is not in force: {by} has another word behind it",
        value.value.value,
        kernel_severity(subject, host, Severity.ERROR, Severity.HINT),
        (
            Remedy(
                "say it in `securityOpt`, which comes last",
                safe=False,
                changes=(Add("security_opt", value.written),),
                caution="system calls that the profile denies fail",
            ),
        ),
    )
