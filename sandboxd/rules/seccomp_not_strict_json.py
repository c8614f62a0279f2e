"""The profile holds what only JSON with comments allows.

## What it is

A comment, or a comma behind the last element, in a seccomp profile.

## Why it is bad

The docker command line reads profiles as strict JSON. With a comment in it the container does not
start, and with `dockerd --seccomp-profile` the whole engine does not:

    docker: opening seccomp profile failed: invalid character '/' looking for beginning of value

Other readers, this one among them, take it: so it can look right everywhere but where it counts.

## What to do instead

Remove it. Rules of a profile may hold a `comment` property with the text.

## Under gVisor

The profile is read by docker before gVisor gets it, so there is no difference.
Seen with runsc 20240729.

## References

- https://www.rfc-editor.org/rfc/rfc8259
- https://docs.docker.com/engine/security/seccomp/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._needs import Kind
from sandboxd.rules._strict_json import breaches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="seccomp-not-strict-json",
    summary="the profile holds what only JSON with comments allows",
    severity=Severity.ERROR,
    since="0.1.0",
    why="docker reads profiles as strict JSON: the container does not start",
    needs=(Kind("seccomp"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    yield from breaches(META, subject, "docker refuses the profile")
