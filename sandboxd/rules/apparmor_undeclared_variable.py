"""A variable is used that nothing declares.

## What it is

`@{HOME}`, `@{PROC}` or another variable in the profile, or in an abstraction that it includes, without
`#include <tunables/global>` before the profile.

## Why it is bad

`apparmor_parser` refuses the file. `abstractions/base`, which nearly every profile includes, uses such
variables itself:

    Found reference to variable HOMEDIRS, but is never declared

## What to do instead

Begin the file with the line

    #include <tunables/global>

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

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-undeclared-variable",
    summary="a variable is used that nothing declares",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the parser refuses the whole file, so the profile is never in force",
)

_TUNABLES = "#include <tunables/global>"
# The parser itself sets these (`apparmor.d(5)`, "Automatic variables").
_BUILT_IN = ("@{profile_name}", "@{attach_path}")


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.preamble.has_include:
        # A file that is included there may declare any variable.
        return
    declared = subject.preamble.declared
    for rule in subject.rules:
        if rule.word == "include" and rule.rest.startswith("if exists"):
            continue
        if rule.word == "include" and "abstractions/" in rule.rest:
            name = rule.rest.strip(" <>")
            message = f"`{name}` uses variables that nothing declares: `{_TUNABLES}` is missing"
            evidence = name
        else:
            parts = rule.value.value.split("@{")[1:]
            used = [f"@{{{part.partition('}')[0]}}}" for part in parts]
            lost = [name for name in used if name not in declared and name not in _BUILT_IN]
            if not lost:
                continue
            message = f"nothing declares `{lost[0]}`: `{_TUNABLES}` is missing"
            evidence = lost[0][2:-1]
        yield at_value(
            META,
            rule.value,
            message,
            evidence,
            remedies=(Remedy("include the usual variables", True, (Add("preamble", _TUNABLES),)),),
        )
        return
