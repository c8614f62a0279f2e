"""The host folders that a container mounts, and which of them is the workspace, from `inspect`."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.paths import lies_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.model.engine_answers import Inspected

# Folders whose files make the host's tools act, whatever a profile pins beyond them.
CONTROL_FOLDERS = (".devcontainer", ".vscode", ".git/hooks")
CONTROL_FILES = (
    ".devcontainer.json",
    ".devcontainer/devcontainer.json",
    ".git/config",
    "sandboxd.toml",
)


class HostMount(NamedTuple):
    """A mount of a host path: `source` on the host, `target` inside, and whether the container may write to it."""

    source: str
    target: str
    writable: bool


class View(NamedTuple):
    """All host mounts of a container; `workspace` is the project's, None if it has none."""

    mounts: tuple[HostMount, ...]
    workspace: HostMount | None

    def host_path(self, inside: str) -> str | None:
        """The host path of a path inside; None if no mount provides it."""
        best: HostMount | None = None
        for mount in self.mounts:
            if lies_in(inside, mount.target) and (
                best is None or len(mount.target) > len(best.target)
            ):
                best = mount
        if best is None:
            return None
        rest = posixpath.relpath(inside, best.target)
        return best.source if rest == "." else posixpath.join(best.source, rest)

    def in_workspace(self, inside: str) -> bool:
        return self.workspace is not None and lies_in(inside, self.workspace.target)

    def foreign(self, declared: Iterable[str] = ()) -> list[HostMount]:
        """Host mounts that are neither the workspace, nor in it, nor have a target in `declared`."""
        targets = set(declared)
        return [
            mount
            for mount in self.mounts
            if not self.in_workspace(mount.target) and mount.target not in targets
        ]


def view(
    inspected: Inspected,
    volume_device: Callable[[str], str | None],
    workspace: str | None = None,
) -> View:
    """The host folders of a container.

    :param volume_device: returns the host folder for which a volume only stands; None for a volume with data of its own
    :param workspace: the project's path on the host; None: it is recognised by its path inside, its content, or the
        working directory
    """
    mounts = []
    for mount in inspected.get("Mounts") or []:
        source: str | None = None
        if mount.get("Type") == "bind":
            source = mount.get("Source")
        elif mount.get("Type") == "volume" and mount.get("Name"):
            source = volume_device(mount["Name"])
        if source:
            mounts.append(HostMount(source, mount["Destination"], bool(mount.get("RW"))))
    mounts.sort(key=lambda m: m.target)
    working_dir = (inspected.get("Config") or {}).get("WorkingDir") or ""
    return View(tuple(mounts), _workspace(mounts, workspace, working_dir))


def _workspace(mounts: list[HostMount], path: str | None, working_dir: str) -> HostMount | None:
    if path is not None:
        real = os.path.realpath(path)
        return next((m for m in mounts if os.path.realpath(m.source) == real), None)
    folders = [m for m in mounts if os.path.isdir(m.source)]
    # A folder beside the workspace is read-only.
    folders = [m for m in folders if m.writable] or folders
    for test in (
        lambda m: m.target.startswith(("/workspaces/", "/workspace")),
        lambda m: any(os.path.lexists(f"{m.source}/{n}") for n in (".devcontainer", ".git")),
        lambda m: bool(working_dir) and lies_in(working_dir, m.target) and m.target != "/",
    ):
        matches = [m for m in folders if test(m)]
        if matches:
            return min(matches, key=lambda m: len(m.target))
    return None


def target_of(inspected: Inspected, workspace: str) -> str | None:
    """The path inside at which the host's folder `workspace` itself is mounted writable; None if it is not."""
    for mount in inspected.get("Mounts") or []:
        if mount.get("Type") == "bind" and mount.get("Source") == workspace and mount.get("RW"):
            return mount["Destination"]
    return None
