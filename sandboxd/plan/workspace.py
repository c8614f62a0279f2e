"""Reads the facts about a workspace that a plan needs. Symbolic links are noticed, never followed."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from sandboxd.errors import SandboxdError, UsageError
from sandboxd.model.control_name import ControlName
from sandboxd.model.sandbox_id import sandbox_id
from sandboxd.plan import beneath
from sandboxd.plan.acting import Acting, acting, deep
from sandboxd.plan.git_control import Exposed, GitControl
from sandboxd.plan.git_links import MOST_AT_A_START, GitLink, git_links
from sandboxd.plan.gitlinks import folders_in, index_of, names_in
from sandboxd.plan.linked_worktree import LinkedWorktree
from sandboxd.plan.links_in_pins import links_in
from sandboxd.plan.named_paths import folders_above
from sandboxd.plan.network_ca import NetworkCa
from sandboxd.plan.own_git import OwnGit
from sandboxd.plan.project_hosts import NO_HOSTS, ProjectHosts, project_hosts
from sandboxd.plan.tool_folders import KNOWN, State, Tree
from sandboxd.policy.acts_on_host import weigh
from sandboxd.policy.protect import is_stub_folder, stub_text

ControlKind = Literal["directory", "file", "symlink", "other", "stub", "missing"]

# Listening sockets of editors and Git, and files that tools act upon, lie at the top or one level down;
# a workspace may hold a million files, and a plan must not wait for them.
_MOST_ENTRIES = 5000
SOCKETS = ControlName.WORKSPACE_SOCKETS
"""The name of the control by which no program of the host is reached by a socket in the workspace."""


class ControlFile(NamedTuple):
    """A file or folder on which tools of the host act, by its path within the workspace.

    Of the kind ``stub`` is one that is missing and can be created as a placeholder, to be mounted read-only.
    """

    path: str
    kind: ControlKind


class Program(NamedTuple):
    """A volume in which sandboxd installed a program, and the folder inside at which it is mounted read-only."""

    volume: str
    target: str
    label: str
    """The label, ``NAME=value``, that such a volume has."""


class ExtraFolder(NamedTuple):
    """A folder beside the workspace that `[workspace] folders` names, as it was seen.

    `path` is absolute and free of links; `problem` says why it cannot be mounted, '' if it can; `sockets` are those on
    which a program may listen, by their paths in it.
    """

    written: str
    path: str
    problem: str = ""
    sockets: tuple[str, ...] = ()


class WorkspaceFacts(NamedTuple):
    """A workspace on disk.

    `path` is absolute and free of links. `complete` is False if the search stopped early. `not_as_made` are existing
    files that name another repository, so that a placeholder cannot take their place.
    """

    path: str
    owner_uid: int | None = None
    owner_gid: int | None = None
    control_files: tuple[ControlFile, ...] = ()
    sockets: tuple[str, ...] = ()
    complete: bool = True
    not_as_made: tuple[str, ...] = ()
    unread: tuple[Exposed, ...] = ()
    """Config files of git that could not be read, so that it is not known which files they name."""
    hot: tuple[Tree, ...] = ()
    """Folders that may be mounted as tmpfs."""
    exposed: tuple[Exposed, ...] = ()
    """Files on which tools of the host act and that are not mounted read-only."""
    hosts: ProjectHosts = NO_HOSTS
    subnet: str = ""
    """The subnet of the sandbox's inner network; '' if generated files name none."""
    bare_refused: bool = False
    """Whether the user's git ignores bare repositories that it merely finds (`safe.bareRepository = explicit`)."""
    git_identity: tuple[tuple[str, str], ...] = ()
    """The git settings that name the committer, each with its value."""
    linked: LinkedWorktree | None = None
    """The repository of which the workspace is a linked work tree; None if it is none."""
    name: str = ""
    """The sandbox's name; '' for the unnamed one."""

    git_links: tuple[GitLink, ...] = ()
    """Symbolic links in `.git` through which git on the host would write."""
    programs: tuple[Program, ...] = ()
    """Programs that sandboxd installed and that are mounted with the workspace."""
    own_git: OwnGit | None = None
    """The sandbox's own git directory, which hides `.git` if the workspace is writable; None if it has none."""
    network_ca: NetworkCa | None = None
    """Certificates that programs inside trust, by the policy's `network_ca`; None for those of the image alone."""
    extra_folders: tuple[ExtraFolder, ...] = ()

    @property
    def sandbox(self) -> str:
        """The sandbox's identity (`model.sandbox_id`)."""
        return sandbox_id(self.path, self.name)

    def of_kind(self, kind: ControlKind) -> tuple[str, ...]:
        return tuple(file.path for file in self.control_files if file.kind == kind)

    @property
    def existing_control_files(self) -> tuple[str, ...]:
        """Control files that can be mounted read-only, including placeholders still to be created."""
        return tuple(f.path for f in self.control_files if f.kind in ("directory", "file", "stub"))


def survey(
    path: str,
    control_files: Iterable[str],
    hot: Iterable[str] | None = None,
    left_open: Iterable[str] | None = None,
    git: GitControl | None = None,
    hosts: bool = False,
) -> WorkspaceFacts:
    """Examine the workspace `path`, its `control_files`, and further files on which tools of the host act.

    :param hot: folders to mount as tmpfs; None: those that well-known files show to be made by a tool
    :param left_open: what `plan.acting` leaves writable; None: only `control_files` and those of git are looked for
    :param git: what `plan.git_control` found; None: nothing
    :param hosts: whether to look for the hosts and images that its files name
    :raises UsageError: the folder cannot be read, so it is not known what to mount read-only
    """
    path = os.path.realpath(path)
    owner = _lstat(path)
    git = git or GitControl()
    near = _entries(path)
    acts = Acting() if left_open is None else acting(path, near.names, left_open)
    files: dict[str, ControlFile] = {}
    for candidate in (*control_files, *git.pins):
        file = _control_file(path, candidate, git.folders)
        files.setdefault(file.path, file)
    exposed = {*git.exposed, *acts.exposed, *(() if left_open is None else deep(path))}
    for candidate in _with_untracked_whole(path, acts.pins):
        file = _control_file(path, candidate, frozenset())
        if file.kind in ("symlink", "other"):
            # A file that no profile names may be a link: a link to another file of its kind is common.
            exposed.add(
                Exposed(candidate, "it is no regular file or folder, so it cannot be pinned")
            )
        else:
            files.setdefault(file.path, file)
    links = links_in(path, tuple(files), git.pins, git.own)
    for behind in links.ends:
        file = _control_file(path, behind.path, frozenset())
        files.setdefault(file.path, file)
    exposed |= {
        Exposed(each.path, f"the link `{each.link}` leads there") for each in links.on_the_way
    }
    return WorkspaceFacts(
        path=path,
        owner_uid=owner.st_uid if owner else None,
        owner_gid=owner.st_gid if owner else None,
        control_files=_outermost(files.values()),
        sockets=tuple(near.sockets),
        complete=near.complete and links.is_whole,
        not_as_made=tuple(name for name in git.common if not _is_as_made(path, name)),
        unread=git.unread,
        hot=tuple(_hot(path) if hot is None else (Tree(name, _state(path, name)) for name in hot)),
        exposed=tuple(sorted(entry for entry in exposed if _is_open(entry.path, files))),
        hosts=project_hosts(path, near.names, near.is_cut) if hosts else NO_HOSTS,
        bare_refused=git.bare_refused,
        git_links=git_links(path, MOST_AT_A_START).links,
    )


def hosts_near(path: str) -> ProjectHosts:
    """The hosts and images that the files of the workspace `path` name, without a look at anything else of it.

    However many files a program inside makes, it takes no longer: whoever takes rights back waits for it.

    :raises UsageError: the folder cannot be read
    """
    path = os.path.realpath(path)
    near = _entries(path, acting=False)
    return project_hosts(path, near.names, near.is_cut)


def _is_as_made(workspace: str, name: str) -> bool:
    """Whether the file `name` is not there, or says what a stub of ours does."""
    text = stub_text(name)
    is_there = _lstat(os.path.join(workspace, name)) is not None
    return not text or not is_there or _says(workspace, name, text)


def _with_untracked_whole(workspace: str, pins: Iterable[str]) -> Iterator[str]:
    """`pins` with the folder at the top in place of each path in one that git on the host does not track.

    A program inside may have made it, and the folder above such a pin would be mounted writable: it could have put a link
    to a folder of the host's `.git` there before an editor mounts it.
    """
    for pin in pins:
        top, slash, _ = pin.partition("/")
        yield top if slash and not _is_tracked(workspace, pin) else pin


def _is_tracked(workspace: str, path: str) -> bool:
    index = index_of(workspace)
    with contextlib.suppress(OSError, ValueError):
        return path in names_in(index) or path in folders_in(index)
    return False


def _is_open(path: str, files: Mapping[str, ControlFile]) -> bool:
    """Whether neither `path` nor a folder above it is one of `files` that are pinned."""
    pinned = {name for name, file in files.items() if file.kind in ("directory", "stub")}
    return path not in files and pinned.isdisjoint(folders_above(path))


def _outermost(files: Iterable[ControlFile]) -> tuple[ControlFile, ...]:
    """`files` without those in a folder that is pinned as a whole."""
    pinned = {file.path for file in files if file.kind in ("directory", "stub")}
    return tuple(
        sorted(file for file in files if not any(up in pinned for up in folders_above(file.path)))
    )


def _hot(workspace: str) -> Iterator[Tree]:
    for name, markers in KNOWN.items():
        for marker in markers:
            status = _lstat(os.path.join(workspace, marker))
            if status is not None and stat.S_ISREG(status.st_mode):
                yield Tree(name, _state(workspace, name), marker)
                break


def _state(workspace: str, path: str) -> State:
    """The state of `path`; no link on the way is followed."""
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        full = os.path.join(workspace, *parts[:depth])
        status = _lstat(full)
        if status is None:
            return "missing" if depth == len(parts) else "in the way"
        if not stat.S_ISDIR(status.st_mode):
            return "in the way"
    try:
        with os.scandir(os.path.join(workspace, path)) as entries:
            return "content" if next(entries, None) is not None else "empty"
    except OSError:
        return "in the way"


def _control_file(workspace: str, relative: str, folders: frozenset[str]) -> ControlFile:
    """The control file at `relative`; a link or a file on the way counts in its place (`.git` in a worktree), and so does
    the outermost folder that is missing above one that may be made empty: what a program inside could make there, it
    could make with all below.

    :param folders: those that may be made empty, beside those that always may
    """
    parts = relative.split("/")
    for depth in range(1, len(parts) + 1):
        part = "/".join(parts[:depth])
        status = _lstat(os.path.join(workspace, part))
        if status is None:
            parent = os.path.dirname(os.path.join(workspace, part))
            may = part in folders or is_stub_folder(part) or stub_text(part) is not None
            is_above = part != relative and relative in folders and stub_text(part) is None
            if (is_above or (may and part == relative)) and os.access(parent, os.W_OK):
                return ControlFile(part, "stub")
            return ControlFile(relative, "missing")
        kind = _kind(status.st_mode)
        if kind != "directory":
            return ControlFile(part, kind)
    return ControlFile(relative, "directory")


def _says(workspace: str, path: str, expected: bytes) -> bool:
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(workspace) as root:
        return beneath.says(root, path, expected)
    return False


def _kind(mode: int) -> ControlKind:
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISDIR(mode):
        return "directory"
    return "file" if stat.S_ISREG(mode) else "other"


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None


class _Near(NamedTuple):
    """Files and folders near the top of a workspace.

    `is_cut` is True where there are too many; `complete` is False then, and where a folder cannot be read.
    """

    names: tuple[str, ...]
    sockets: tuple[str, ...]
    complete: bool
    is_cut: bool


def _entries(workspace: str, acting: bool = True) -> _Near:
    """Files and folders at the top and one level down, up to a bound.

    :param acting: whether to look beyond the bound, without one, for names at the top on which tools act
    :raises UsageError: the top of the workspace cannot be read
    """
    top = _names(workspace, "", None if acting else _MOST_ENTRIES + 1)
    names = [name for name, _ in top]
    is_cut, is_whole = len(names) > _MOST_ENTRIES, True
    # Names that nothing acts upon must not hide one that something does: a program inside can make any number.
    beyond = names[_MOST_ENTRIES:] if acting else []
    rest = [name for name in beyond if weigh(name)[0] in ("never", "control")]
    names = [*names[:_MOST_ENTRIES], *rest]
    sockets = [name for name, kind in top[:_MOST_ENTRIES] if kind == "socket"]
    for folder in [name for name, kind in top if kind == "folder"]:
        room = _MOST_ENTRIES - len(names)
        if room <= 0:
            is_cut = True
            break
        try:
            below = _names(workspace, folder, room + 1)
        except UsageError:
            is_whole = False
            continue
        is_cut |= len(below) > room
        names += [name for name, _ in below[:room]]
        sockets += [name for name, kind in below[:room] if kind == "socket"]
    return _Near(tuple(names), tuple(sorted(sockets)), is_whole and not is_cut, is_cut)


def sockets_near(workspace: str) -> tuple[str, ...]:
    """The paths of the sockets at the top of a workspace and one level down; () where the top cannot be read."""
    try:
        return _entries(workspace, acting=False).sockets
    except UsageError:
        return ()


def why_sockets(sockets: Iterable[str]) -> str:
    """What is open by sockets in a shared workspace, for a person."""
    names = ", ".join(f"`{name}`" for name in sockets)
    return f"{names}: a program on the host that listens there can be reached from inside"


def _names(workspace: str, folder: str, most: int | None = None) -> list[tuple[str, str]]:
    """The paths of what is in a folder of the workspace, each with "folder", "socket" or ''.

    :raises UsageError: it may not be read
    """
    path = os.path.join(workspace, folder) if folder else workspace
    try:
        with os.scandir(path) as entries:
            return [
                (f"{folder}/{entry.name}" if folder else entry.name, _type(entry))
                for entry in itertools.islice(entries, most)
            ]
    except PermissionError:
        raise UsageError(
            f"`{path}` cannot be read, so what tools on the host act upon there is not known",
            f"`chmod u+rwx {shlex.quote(path)}`",
        ) from None
    except OSError:
        return []


def _type(entry: os.DirEntry[str]) -> str:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    is_other = not entry.is_file(follow_symlinks=False)
    return "socket" if is_other and _is_socket(entry.path) else ""


def _is_socket(path: str) -> bool:
    status = _lstat(path)
    return status is not None and stat.S_ISSOCK(status.st_mode)
