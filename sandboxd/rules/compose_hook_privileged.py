"""A hook of a Compose service has more rights than the service.

## What it is

A command in `post_start` or `pre_stop` of a service with `privileged: true`, or with `user: root` where
the service has another user.

## Why it is bad

The command runs in the container, but as if by `docker exec --privileged`: with all capabilities,
without seccomp. What it calls is in the image or the workspace, so code inside chooses what that is.

    post_start:
      - command: ./setup.sh
        privileged: true

## What to do instead

Do the step when the image is built. For the owner of a volume: `user: root` without `privileged`, and
a command of the image and not of the workspace.

## Under gVisor

The capabilities are virtual. Privileged code inside can mount over and re-mount what is pinned
read-only, so it stays a warning.
Seen with runsc 20240729.

## References

- https://docs.docker.com/compose/how-tos/lifecycle/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._users import is_root
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="compose-hook-privileged",
    summary="a hook of a Compose service has more rights than the service",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the command runs with all capabilities and without seccomp, on files that code inside can change",
    needs=(Field("hooks"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for hook in subject.hooks:
        command = readable(hook.value.command)
        if hook.value.privileged and not subject.is_privileged():
            message = f"`{command}` runs in the container with all privileges"
            severity = kernel_severity(subject, host, Severity.ERROR, Severity.WARNING)
            remedy = Remedy(
                "run the hook without `privileged`",
                safe=False,
                changes=(Remove(hook),),
                caution="the hook may need what it gives",
            )
            yield at_value(META, hook, message, hook.value.command, severity, (remedy,))
        elif (
            is_root(hook.value.user)
            and subject.user is not None
            and not is_root(subject.user.value)
        ):
            message = f"`{command}` runs as root, the service as `{subject.user.written}`"
            yield at_value(META, hook, message, hook.value.command, Severity.WARNING)
