"""Two security options of one kind contradict each other.

## What it is

The container has two values for `seccomp` or for `apparmor`. The engine takes the last one, and
the dev container CLI puts top-level `securityOpt` behind `runArgs`.

## Why it is bad

One of the two is without effect, and which one cannot be seen from where they stand in the file:
a profile in `runArgs` loses against `seccomp=unconfined` in `securityOpt`, wherever that stands.

    grep Seccomp /proc/self/status    # 0: no filter, in spite of --security-opt seccomp=profile.json

## What to do instead

Keep one, in top-level `securityOpt`.

## Under gVisor

gVisor ignores both unless `oci-seccomp` is on, so it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#security-opt
- https://github.com/devcontainers/cli/blob/main/src/spec-node/singleContainer.ts
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Related, Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="security-opt-conflict",
    summary="two security options contradict each other",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the engine takes the last one, and the other has no effect",
    needs=(Field("security_opt"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for name in ("seccomp", "apparmor"):
        last = subject.option(name)
        if last is None:
            continue
        for option in subject.security_opt:
            if option.value.name != name or option.value.value == last.value.value:
                continue
            weakened = last.value.value == "unconfined"
            yield at_value(
                META,
                option,
                f"`{option.written}` has no effect: `{last.written}` comes later",
                f"{name}={option.value.value}",
                kernel_severity(
                    subject, host, Severity.WARNING if weakened else Severity.HINT, Severity.HINT
                ),
                (Remedy("remove it", safe=True, changes=(Remove(option),)),),
                (Related(last.place, "in force"),) if last.place else (),
            )
