"""A folder may be written, but not used by the usual tools.

## What it is

A rule such as `/workspace/** rw,` that lacks the permissions git, databases, package managers and
compilers need in a folder they work in: `k` (locks), `l` (hard links), `m` (load libraries), `ix`
(execute scripts), and reading the folder itself.

## Why it is bad

`r` and `w` are not all that happens to files. git and sqlite lock, `git clone` and pnpm link, node
and python load native modules, and every project has a script:

    fatal: Unable to create '/workspace/.git/index.lock': Permission denied

## What to do instead

/workspace/ r,
    /workspace/** mrwklix,

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

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-breaks-dev-tools",
    summary="a folder may be written, but not used by the usual tools",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a sandbox in which the tools fail is switched off as a whole",
)

_NEEDED = {
    "k": "git and databases cannot lock",
    "l": "`git clone` and pnpm cannot link",
    "m": "native modules of node and python do not load",
    "x": "scripts do not run",
}


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    access = subject.access()
    for rule in subject.of("file"):
        folder = rule.path.removesuffix("**")
        is_tree = folder != rule.path and folder.endswith("/") and folder != "/"
        is_scratch = folder.startswith(("/tmp", "/var/tmp"))  # noqa: S108
        if rule.deny or not is_tree or is_scratch or "w" not in rule.permissions:
            continue
        file = f"{folder}a/b"
        missing = [letter for letter in _NEEDED if not access.may(file, letter)]
        if not missing:
            continue
        effects = "; ".join(_NEEDED[letter] for letter in missing[:2])
        start = rule.value.value[: len(rule.value.value) - len(rule.permissions)]
        yield at_value(
            META,
            rule.value,
            f"`{rule.path}` lacks `{''.join(missing)}`: {effects}",
            rule.path,
            remedies=(
                Remedy(
                    "allow what tools do in a folder of theirs",
                    safe=False,
                    changes=(Replace(rule.value, f"{start}mrwklix"),),
                    caution=f"files below `{folder}` can be executed",
                ),
            )
            if rule.value.value.endswith(rule.permissions)
            else (),
        )
