"""A build step gives a program more rights than who starts it.

## What it is

`chmod u+s`, `chmod 4755`, `install -m 4755` or `setcap` in a `RUN` of a Dockerfile, or `--chmod=4755` of a
`COPY` or `ADD`.

## Why it is bad

Whoever runs inside as a normal user becomes what the file's owner is, mostly root, with one bug in
that program. Capabilities on a file do the same in smaller steps.

    RUN chmod u+s /usr/bin/find    # find . -exec sh -p \\; is root

With `no-new-privileges` on the container neither has an effect.

## What to do instead

Do the privileged step when the image is built. For one port below 1024 or one device, give the
container what it needs.

## Under gVisor

gVisor ignores the setuid bit unless it is started with `--allow-suid`.
Seen with runsc 20240729, which does not have that option.

## References

- https://docs.docker.com/reference/dockerfile/#copy---chown---chmod
- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://docs.kernel.org/userspace-api/no_new_privs.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._scripts import matches
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-setuid-or-setcap",
    summary="a build step gives a program more rights than who starts it",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a normal user inside becomes root through a bug in that program",
    needs=(Field("stages"),),
)

# What parts words: blanks, and the quotes and commas of the JSON form.
_GAP = r"[\s\"',]{1,40}"
_RAISED = (
    rf"\bchmod{_GAP}(?:-[^\s\"',]+{_GAP})*(?P<chmod>[^\s;&|\"']+)[\"']?{_GAP}[^\s;&|\"']+"
    r"|\binstall\s[^;&|\n]{0,200}?(?<=\s)(?:-[A-Za-z]{0,8}m|--mode)[\s=]{0,8}[\"']?(?P<install>[0-7]{4,5})\b[^;&|\n]{0,200}"
    rf"|\bsetcap{_GAP}(?!-r\b)(?P<setcap>[^;&|\n]{{1,300}})"
)
# What a clause of capabilities does: `=+ep`, `-ep`.
_CLAUSE = r"(?:^|[\s\"',])(?:all|cap_\w{1,40}|,){0,50}((?:[-+=][eip]*){1,8})(?=$|[\s\"',])"
_SYMBOLIC = r"([ugoa]*)((?:[-+=][rwxXstugo]*)+)"


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for match, value in matches(subject, _RAISED):
        mode = match["chmod"] or match["install"]
        if match["setcap"]:
            if not _gives(match["setcap"]):
                continue
            verb = "gives capabilities to a file"
        elif _sets_setuid(mode):
            verb = "sets the setuid bit"
        else:
            continue
        yield at_value(META, value, f"`{readable(value.written)}` {verb}", value.written)
    for instruction in subject.instructions("COPY", "ADD"):
        for flag, mode in instruction.flag("chmod"):
            if _sets_setuid(mode):
                value = subject.value(mode, flag.span, flag.value, instruction.keyword)
                message = f"`{readable(flag.value)}` sets the setuid bit of what is copied"
                yield at_value(META, value, message, flag.value)


def _gives(arguments: str) -> bool:
    """Whether what follows `setcap` may give a capability: `cap_net_raw=-ep` and `cap_net_raw-ep` take it away."""
    operations = re.findall(_CLAUSE, arguments)
    return not operations or any(re.search("[+=][eip]", each) for each in operations)


def _sets_setuid(mode: str) -> bool:
    """Whether a mode of `chmod`, octal or in letters, has or adds the bit for the user."""
    if re.fullmatch(r"[0-7]{4,6}", mode):
        return bool(int(mode, 8) & 0o4000)
    is_set = False
    for part in mode.split(","):
        match = re.fullmatch(_SYMBOLIC, part)
        if match is None or (match[1] and not set(match[1]) & {"u", "a"}):
            continue
        for operator, letters in re.findall(r"([-+=])([rwxXstugo]*)", match[2]):
            if operator == "=" or "s" in letters:
                is_set = operator != "-" and "s" in letters
    return is_set
