"""A mount that looks like a part of the project leads out of it.

## What it is

The source of a bind mount is written as a path of the project and is none: a symbolic link that
the repository brings along leads elsewhere, or `..` does.

## Why it is bad

Whoever reads the file sees a folder of the repository. What is mounted is what the link names,
on your machine: `data -> /etc` in a repository mounts your `/etc`, under runc and under gVisor.

    ln -s / data && git add data    # "source=${localWorkspaceFolder}/data,target=/data,type=bind"

## What to do instead

Remove the link, or write the path that is meant. A folder beside the project is better named
absolutely, so that it can be seen.

## Under gVisor

No difference: links of the source are followed on the host.

## References

- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical, host_mounts
from sandboxd.rules._needs import Mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container, Mount
    from sandboxd.model.values import Value

META = RuleMeta(
    id="bind-source-escapes-workspace",
    summary="a mount that looks like a part of the project leads out of it",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a symbolic link in the repository decides what of the host is mounted",
    needs=(Mentions("mounts", "${localWorkspaceFolder}"), Mentions("mounts", "./")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    workspace = canonical(subject.workspace or "${localWorkspaceFolder}", host.home)
    for mount, path in host_mounts(subject, host):
        if mount.origin.key == "workspaceMount" or not _says_project(mount.written):
            continue
        if lies_in(path, workspace):
            continue
        if ".." in mount.written or _is_where_written(mount):
            # The parent itself is told about under a name of its own.
            if lies_in(workspace, path) or path.startswith("$"):
                continue
            severity = Severity.HINT
            message = f"`{mount.written}` lies outside of the project"
        elif subject.workspace is None:
            continue
        else:
            severity = Severity.ERROR
            message = f"`{mount.written}` is a link out of the project, to `{mount.value.source}`"
        yield at_value(META, mount, message, path, severity)


def _says_project(written: str) -> bool:
    return written.startswith(("${localWorkspaceFolder}", "./", "../"))


def _is_where_written(mount: Value[Mount]) -> bool:
    """True if a relative path leads where it says from the folder of its own file.

    That is another folder than the project's for a file that is extended or included.
    """
    if mount.place is None or not mount.written.startswith("./"):
        return False
    folder = posixpath.dirname(mount.place.path)
    return posixpath.normpath(f"{folder}/{mount.written}") == mount.value.source.rstrip("/")
