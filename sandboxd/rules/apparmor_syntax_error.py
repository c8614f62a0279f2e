"""The text is no valid AppArmor policy.

## What it is

A rule without the comma at its end, a brace too many or too few.

## Why it is bad

`apparmor_parser` refuses the file as a whole. With the profile not loaded the container does not
start, and where it was loaded in an older form, that one stays in force unseen:

    AppArmor parser error, in line 5: syntax error, unexpected TOK_END_OF_RULE

## What to do instead

Correct the text at the place shown, and try it: `apparmor_parser -Q -K FILE` reads without loading.

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
- https://github.com/moby/profiles/blob/main/apparmor/template.go
- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._needs import Kind
from sandboxd.rules._syntax import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding, Skipped
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="apparmor-syntax-error",
    summary="the text is no valid AppArmor policy",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the parser refuses the whole file, and the container runs without the profile or not at all",
    needs=(Kind("apparmor"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding | Skipped]:
    yield from errors(META, subject)
