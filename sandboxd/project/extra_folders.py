"""Looks at the folders that `[workspace] folders` names, so that none is mounted that is more than a project's neighbour.

The engine mounts as root, and a link would lead it anywhere: what is named is refused unless it is a folder of its own
that the user may read and that holds neither a home nor settings of the user or the system.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from sandboxd.folders import state_folder
from sandboxd.model.paths import lies_in
from sandboxd.plan.extra_folders import path_of
from sandboxd.plan.workspace import ExtraFolder, sockets_near
from sandboxd.policy.floor import user_folder

# https://refspecs.linuxfoundation.org/FHS_3.0/fhs/, and for macOS
# https://developer.apple.com/library/archive/documentation/FileManagement/Conceptual/FileSystemProgrammingGuide/
_SYSTEM = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/usr", "/var/run",
    "/Applications", "/Library", "/System", "/private/etc", "/private/var/db",
)  # fmt: skip
"""Folders of the system, of which nothing is mounted."""
_OF_PROGRAMS = ("Library", "AppData")
"""Folders of a home where programs of macOS and Windows keep settings and logins, as others do in hidden ones."""


def extra_folders(
    workspace: str, written: Iterable[str], environ: Mapping[str, str]
) -> tuple[ExtraFolder, ...]:
    """What is at each path that is `written` relative to the workspace; `ExtraFolder.problem` where it may not enter."""
    folders = []
    workspace = os.path.realpath(workspace)
    for text in written:
        path = path_of(workspace, text)
        problem = _problem(path, workspace, environ)
        folders.append(ExtraFolder(text, path, problem, () if problem else sockets_near(path)))
    return tuple(folders)


def _problem(path: str, workspace: str, environ: Mapping[str, str]) -> str:
    """Why `path` may not be mounted, to be read behind its name; '' where it may."""
    if not os.path.lexists(path):
        return f"is not there: `{path}`"
    if os.path.realpath(path) != path:
        return f"is reached by a symbolic link: it is `{os.path.realpath(path)}`"
    if not os.path.isdir(path):
        return "is no folder"
    if not os.access(path, os.R_OK | os.X_OK):
        # The engine could.
        return "is a folder that you cannot read"
    home = os.path.realpath(environ.get("HOME") or os.path.expanduser("~"))
    policy, state = (os.path.realpath(own(environ)) for own in (user_folder, state_folder))
    for folder, what in (
        (workspace, "the workspace itself"),
        (home, "your home"),
        (policy, "your policy"),
        (state, "what sandboxd keeps"),
    ):
        if lies_in(folder, path):
            return f"holds {what}"
    if lies_in(path, workspace):
        return "is in the workspace"
    if lies_in(path, policy) or lies_in(path, state):
        return "lies where sandboxd keeps its own files"
    if lies_in(path, home):
        parts = os.path.relpath(path, home).split(os.sep)
        if parts[0] in _OF_PROGRAMS or any(part.startswith(".") for part in parts):
            return "lies in a folder of your home where programs keep settings and logins"
    if any(lies_in(path, folder) for folder in _SYSTEM) or os.path.ismount(path):
        return "is a folder of the system, or a disk"
    return ""
