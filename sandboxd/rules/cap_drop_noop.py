"""Capabilities are dropped and given back at once.

## What it is

`--cap-drop=ALL` in a container that is also privileged, or that has `ALL` added.

## Why it is bad

The file looks hardened and is not: `--privileged` ignores every dropped capability, and
`--cap-add=ALL` wins over `--cap-drop=ALL` in either order.

    grep CapEff /proc/self/status    # 000001ffffffffff: all of them

## What to do instead

Keep the drop, remove the other line, and add back by name what is really needed: `--cap-drop=ALL
--cap-add=CHOWN`.

## Under gVisor

The capabilities are virtual there, so it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities
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
    id="cap-drop-noop",
    summary="dropping capabilities has no effect",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the file looks hardened, and the container has every capability",
    needs=(Field("cap_drop"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    dropped = next((cap for cap in subject.cap_drop if cap.value == "ALL"), None)
    all_added = next((cap for cap in subject.cap_add if cap.value == "ALL"), None)
    undone = subject.privileged if subject.is_privileged() else all_added
    if dropped is None or undone is None:
        return
    by = "`privileged`" if subject.is_privileged() else f"`{undone.written}`"
    yield at_value(
        META,
        dropped,
        f"dropping `{dropped.written}` has no effect beside {by}",
        "ALL",
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
        (
            Remedy(
                f"remove {by}",
                safe=False,
                changes=(Remove(undone),),
                caution="what needs a capability stops working",
            ),
        ),
        (Related(undone.place, "gives them back"),) if undone.place else (),
    )
