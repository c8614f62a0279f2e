"""The image loads a library into every program.

## What it is

`ENV LD_PRELOAD`, or an `LD_LIBRARY_PATH` through `/proc`, in a Dockerfile.

## Why it is bad

The library runs inside every process. A hook that the engine starts on the host with the
container's environment loads it as well: that is how the NVIDIA Container Toolkit before 1.17.8
could be taken over by three lines (CVE-2025-23266).

    ENV LD_PRELOAD=/proc/self/cwd/poc.so

A library of the system (an allocator such as jemalloc) is a hint; one at a place that code inside
can write to, or in `/proc`, is a warning.

## What to do instead

Set it for the one program that needs it, in its start script.

## Under gVisor

Hooks of the engine run on the host before any sandbox: no difference.

## References

- https://nvd.nist.gov/vuln/detail/CVE-2025-23266
- https://man7.org/linux/man-pages/man8/ld.so.8.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.image import pairs
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-ld-preload",
    summary="the image loads a library into every program",
    severity=Severity.WARNING,
    since="0.1.0",
    why="hooks that the engine runs on the host may load it, too",
    needs=(Field("stages"),),
)

_SYSTEM = ("/usr/", "/lib/", "/lib64/", "/opt/")


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for instruction in subject.instructions("ENV"):
        for pair, word in pairs(instruction):
            if pair.name == "LD_PRELOAD" and pair.value:
                is_system = pair.value.startswith(_SYSTEM) or "/" not in pair.value
            elif pair.name == "LD_LIBRARY_PATH" and "/proc/" in pair.value:
                is_system = False
            else:
                continue
            value = subject.value(pair.value, word.span, word.value, "ENV")
            message = f"`{readable(word.value)}` makes every program load what lies there"
            severity = Severity.HINT if is_system else Severity.WARNING
            yield at_value(META, value, message, f"{pair.name}={pair.value}", severity)
