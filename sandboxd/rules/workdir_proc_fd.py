"""The working directory leads through a file that the runtime has open.

## What it is

A working directory below `/proc/self/fd`, `/proc/self/cwd` or the same of another process: `WORKDIR`
of a Dockerfile, `working_dir` of a Compose service, `--workdir` in `runArgs`.

## Why it is bad

runc up to 1.1.11 had a directory of the host open while it started a container. With this working
directory the first process stands in it and walks the host's disk (CVE-2024-21626, "Leaky
Vessels"). No honest config has a reason for it.

    WORKDIR /proc/self/fd/8    # then: cat ../../../../etc/shadow

## What to do instead

A directory of the image. Ask who wrote the line.

## Under gVisor

gVisor's own kernel has no such file of the host. A build step still runs under runc.
Not tried on a build.

## References

- https://nvd.nist.gov/vuln/detail/CVE-2024-21626
- https://github.com/opencontainers/runc/security/advisories/GHSA-xr7r-f8xq-vfvv
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.image import Image
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.image import Image
    from sandboxd.model.values import Value

META = RuleMeta(
    id="workdir-proc-fd",
    summary="the working directory leads through a file that the runtime has open",
    severity=Severity.ERROR,
    since="0.1.0",
    why="with an old runc the first process stands in a directory of the host",
    needs=(Field("working_dir"), Field("workspace_folder"), Field("stages")),
)

_LEAK = r"/proc/[^/]+/(?:task/[^/]+/)?(?:fd|cwd|root)(?:/|\Z)"


def check(subject: Container | Image, host: HostFacts) -> Iterator[Finding]:
    for value in _directories(subject):
        if re.match(_LEAK, "/" + posixpath.normpath(value.value).lstrip("/")):
            message = f"`{value.written}` leads through a file that the runtime has open"
            yield at_value(META, value, message, value.value)


def _directories(subject: Container | Image) -> Iterator[Value[str]]:
    if not isinstance(subject, Image):
        for folder in (subject.working_dir, subject.workspace_folder):
            if folder is not None:
                yield folder
        return
    for instruction in subject.instructions("WORKDIR"):
        for word in instruction.words()[:1]:
            yield subject.value(word.value, word.span, word.value, "WORKDIR")
