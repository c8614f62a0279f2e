"""A hook uses sudo where sudo cannot work.

## What it is

A hook that runs inside calls `sudo`, and the container has `no-new-privileges` or runs under
gVisor.

## Why it is bad

`sudo` is a setuid program. With `no-new-privileges` the kernel ignores that, and gVisor does
unless it is told otherwise. The hook fails, the rest of it is skipped, and the hardening is what
gets removed.

    sudo: The "no new privileges" flag is set, which prevents sudo from running as root.

## What to do instead

Do it in the Dockerfile, where everything runs as root, or in a Feature. Let the image own the
folders that the user has to write.

## Under gVisor

`sudo` fails in the same way, unless the runtime has `--allow-suid`.
Seen with runsc 20240729, which does not have that option.

## References

- https://docs.kernel.org/userspace-api/no_new_privs.html
- https://github.com/google/gvisor/issues/5299
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Mentions
from sandboxd.rules._runtime import shares_kernel
from sandboxd.rules._users import effective_user, is_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="hook-needs-sudo",
    summary="a hook uses sudo where sudo cannot work",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the hook fails, and the hardening is what people remove then",
    needs=(Mentions("lifecycle", "sudo"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    option = subject.option("no-new-privileges")
    locked = option is not None and option.value.value == "true"
    if not locked and (shares_kernel(subject, host) or _allows_setuid(subject, host)):
        return
    user = effective_user(subject)
    if user is not None and is_root(user.value):
        return
    reason = "with `no-new-privileges`" if locked else "under gVisor"
    for value in subject.lifecycle:
        if re.search(r"(?:^|[;&|(\s])sudo\s", value.value):
            yield at_value(
                META,
                value,
                f"`sudo` in `{value.origin.key}` fails {reason}",
                value.origin.key,
            )


def _allows_setuid(container: Container, host: HostFacts) -> bool:
    runtime = container.runtime.value if container.runtime is not None else ""
    definition = host.engine.runtime(runtime) if host.engine is not None else None
    return definition is not None and definition.flag("allow-suid") in ("", "true")
