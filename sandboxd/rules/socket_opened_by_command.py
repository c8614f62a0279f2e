"""A command opens the engine's socket to more users.

## What it is

`chmod`, `chown`, `chgrp` or `setfacl` of `docker.sock` (or Podman's, or containerd's) in a hook, in an
entrypoint or in `initializeCommand`.

## Why it is bad

A mounted socket is the file of the host. After `chmod 666` every user and every program of the host owns
the machine, not only the container, and it stays so until the engine is started anew. After `chown` it
is whoever has that number on the host.

    sudo chmod 666 /var/run/docker.sock    # now `docker run -v /:/host` works for everybody

## What to do instead

Nothing can be written in its place: the command has to go, and mostly the socket with it (see
docker-socket-mounted). Without it, the Feature `docker-outside-of-docker` gives the user of the container
a socket of its own in front of the host's.

## Under gVisor

The socket is not reached unless `host-uds` is on, but the mode of the file is changed: no difference.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/#docker-daemon-attack-surface
- https://github.com/devcontainers/features/tree/main/src/docker-outside-of-docker
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field, Mentions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.values import Value

META = RuleMeta(
    id="socket-opened-by-command",
    summary="a command opens the engine's socket to more users",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the mode of a mounted socket is that of the host's: whoever may open it owns the host",
    needs=(
        Mentions("lifecycle", ".sock"),
        Field("hooks"),
        Mentions("host_commands", ".sock"),
        Mentions("entrypoints", ".sock"),
    ),
)

SOCKETS = ("docker", "docker-host", "podman", "containerd", "crio", "buildkitd")
_CHANGE = (
    r"\b(chmod|chown|chgrp|setfacl)\b([^\n;&|]{0,200}?/(?:"
    + "|".join(SOCKETS)
    + r")\.sock)(?![\w./-])"
)
# Others may write: 666, 777, 0666, o+w, a+rw, +rw of whatever the umask leaves.
_EVERYBODY = r"(?:^|\s)(?:[0-7]{0,2}[0-7]{2}[2367]|(?:[ug]*o[ugo]*|[ugo]*a[ugo]*)[+=][rxX]*w[rxX]*|[+=][rxX]*w[rxX]*)\s|o(?:ther)?::?[r-]*w"


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value, command in _commands(subject):
        for change in re.finditer(_CHANGE, command):
            everybody = re.search(_EVERYBODY, change[2])
            if change[1] in ("chmod", "setfacl") and not everybody:
                continue
            users = "every user of the host" if everybody else "whoever has that number on the host"
            written = " ".join(change[0].split())
            yield at_value(
                META,
                value,
                f"`{written}` lets {users} control the engine",
                written,
                Severity.ERROR if everybody else Severity.WARNING,
            )


def _commands(subject: Container) -> Iterator[tuple[Value[Any], str]]:
    """Every command that is known to run in the container or before it."""
    for value in (*subject.lifecycle, *subject.host_commands, *subject.entrypoints):
        yield value, value.value
    for hook in subject.hooks:
        yield hook, hook.value.command
