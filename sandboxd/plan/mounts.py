"""Mounts the workspace, and mounts its control files read-only so that they cannot be changed from inside.

Control files are those on which tools of the host act; such a mount is called a pin. Measured (docs/decisions/0003): a
pin holds only if every folder above it is a mount of its own (else `mv .git x` takes it away). Under the gVisor of 2024
with directfs, files in a folder that is bind-mounted read-only can be emptied from inside; a local volume that the
engine binds read-only is safe there, too. Which of the two this host's build needs was tried (docs/decisions/0048).
"""

from __future__ import annotations

import os
import posixpath

from sandboxd.errors import UsageError
from sandboxd.model.container import Mount
from sandboxd.model.control_name import ControlName
from sandboxd.model.paths import lies_in
from sandboxd.model.values import Value
from sandboxd.plan import git_on_host, own_git
from sandboxd.plan.notes import Notes
from sandboxd.plan.pinned_volume import pinned_volume
from sandboxd.plan.reasons import Reason
from sandboxd.plan.workspace import SOCKETS, WorkspaceFacts, why_sockets
from sandboxd.policy.acts_on_host import weigh
from sandboxd.policy.protect import stub_text

_MOST_NAMED = 6
"""The most paths that one line about open files names; `explain-plan` names all."""

_EMPTY_GIT = (
    "; an empty folder keeps `.git` from being made inside: `mkdir .git` on the host before the start. It is read-only "
    "inside, so `git init` works on the host alone, where git takes an empty one for none"
)
"""What closes the way by git's config where the workspace is no repository, for who needs no `git init` inside."""


def target_folder(workspace: str) -> str:
    """The path of the workspace inside, the same as that of dev container tools.

    Characters that separate or quote fields of a mount are replaced: those tools split mounts at every comma.
    """
    name = "".join(
        char if char.isprintable() and char not in ',"' else "-"
        for char in posixpath.basename(workspace)
    )
    return f"/workspaces/{name or 'workspace'}"


def folder_inside(directory: str, workspace: str, own: str = "") -> str:
    """The folder inside that corresponds to `directory` of the host; `own`, if that is outside of the workspace.

    :param own: the folder inside for commands, as the project's config names it; '' for the workspace's
    """
    own = own or target_folder(workspace)
    below = os.path.relpath(os.path.realpath(directory), os.path.realpath(workspace))
    return own if below == "." or below.startswith("..") else os.path.join(own, below)


def workspace_mounts(
    facts: WorkspaceFacts, plain_pins_hold: bool, notes: Notes
) -> tuple[Value[Mount], ...]:
    """The mounts of the workspace, of the folders above pins, and of the pins, in the order to make them.

    :param plain_pins_hold: whether files below a plain read-only mount are safe under the chosen runtime
    :raises UsageError: a control file is a symbolic link, or neither file nor folder
    """
    refuse_links(facts)
    target = target_folder(facts.path)
    mounts = [
        notes.value(
            "mounts",
            Mount("bind", facts.path, target),
            f"{target} (read-write)",
            "the workspace" + ("" if facts.extra_folders else ", the only host folder that enters"),
        )
    ]
    own = git_to_mount(facts)
    stubs = (path for path in facts.of_kind("stub") if stub_text(path) is None)
    directories = {*facts.of_kind("directory"), *stubs}
    for path in sorted({*facts.existing_control_files, *_ancestors(facts)}):
        source, inside = posixpath.join(facts.path, path), posixpath.join(target, path)
        if path == ".git" and own is not None and facts.linked is None:
            mounts.append(own_git.directory_mount(own, inside, notes))
            continue
        if path not in facts.existing_control_files:
            mount, why = (
                Mount("bind", source, inside),
                "a mount of its own, so that it cannot be moved away",
            )
        elif path in directories and not plain_pins_hold:
            mount = pinned_volume(source, inside)
            why = "control file: read-only by a volume, since under this gVisor a plain bind can be emptied"
        else:
            mount = Mount("bind", source, inside, read_only=True)
            why = "control file: tools on the host act upon it, so it is read-only inside"
        mode = "read-only" if mount.read_only else "read-write"
        mounts.append(notes.value("mounts", mount, f"{inside} ({mode})", why))
    if own is not None:
        if facts.linked is not None:
            place = own_git.target_inside(target, facts.linked)
            mounts.append(own_git.directory_mount(own, place, notes))
        mounts += own_git.object_mounts(own, plain_pins_hold, notes)
        own_git.say(own, notes)
    _say_what_is_open(facts, notes)
    if not plain_pins_hold:
        _say_what_may_be_set(facts, directories, notes)
    return tuple(mounts)


def git_to_mount(facts: WorkspaceFacts) -> own_git.OwnGit | None:
    """The sandbox's own git directory, to be mounted; None if it has none, or git inside could not find it."""
    target = own_git.target_inside(target_folder(facts.path), facts.linked)
    return facts.own_git if target else None


def _ancestors(facts: WorkspaceFacts) -> set[str]:
    """Folders between the workspace and a pin, pinned folders excepted."""
    pinned = set(facts.existing_control_files)
    folders = set()
    for path in pinned:
        parent = posixpath.dirname(path)
        while parent and parent not in pinned:
            folders.add(parent)
            parent = posixpath.dirname(parent)
    return folders


def refuse_links(facts: WorkspaceFacts) -> None:
    for file in facts.control_files:
        if file.kind in ("symlink", "other"):
            what = "a symbolic link" if file.kind == "symlink" else "neither a file nor a folder"
            raise UsageError(
                f"`{file.path}` is {what}, so it cannot be pinned read-only",
                f"replace `{file.path}` in the workspace by a regular file or folder",
            )


def _say_what_is_open(facts: WorkspaceFacts, notes: Notes) -> None:
    _say_what_is_not_pinned(facts, notes)
    _say_what_is_read_only(facts, notes)
    git_on_host.say(facts, target_folder(facts.path), notes)
    if facts.sockets:
        notes.downgrade(
            SOCKETS,
            why_sockets(facts.sockets),
            "stop that program or move its socket out of the workspace",
        )
    if not facts.complete:
        notes.downgrade(
            ControlName.CONTROL_FILES,
            "the workspace has too many entries, or a folder that cannot be read, so that not all are looked at "
            "for sockets, and for files that tools on the host act upon",
        )


def _say_what_is_not_pinned(facts: WorkspaceFacts, notes: Notes) -> None:
    """Note in one line all files that tools on the host act upon and that can be made or changed inside."""
    if not facts.control_files:
        return
    missing = [f"`{_outermost_missing(facts, path)}`" for path in facts.of_kind("missing")]
    any_other = "a file that tools on the host act upon and that is missing"
    if missing:
        any_other = (
            f"{_list_names([*dict.fromkeys(missing)])}, or any other such file that is missing,"
        )
    why = f"{any_other} can be created from inside"
    if facts.exposed:
        changed = _list_names([f"`{entry.path}`" for entry in facts.exposed])
        why += f"; {changed} can be changed"
    notes.downgrade(
        ControlName.CONTROL_FILES,
        why,
        'look at them before you use the folder on the host; `[workspace] layout = "clone"` in '
        "sandboxd.toml works on a copy, and `sandboxd review` marks them"
        + (_EMPTY_GIT if "`.git`" in missing else ""),
    )
    for entry in facts.exposed:
        notes.reasons.append(
            Reason("mounts", f"{entry.path} (not pinned)", notes.profile, entry.why)
        )


def _say_what_is_read_only(facts: WorkspaceFacts, notes: Notes) -> None:
    """Note the folders of other version controls than git: they are shut as a whole, so nothing is committed inside."""
    names = [
        f"`{path}`"
        for path in facts.existing_control_files
        if path != ".git" and "/" not in path and weigh(path)[0] == "never"
    ]
    if names:
        notes.downgrade(
            ControlName.VERSION_CONTROL,
            f"{_list_names(names)}: read-only inside, since what it says there runs programs on the host, so nothing "
            "can be committed inside",
            'commit on the host, or work on a private copy: `[workspace] layout = "clone"` in sandboxd.toml',
        )


def _say_what_may_be_set(facts: WorkspaceFacts, folders: set[str], notes: Notes) -> None:
    """Note what old gVisor with directfs leaves open on a file, which no volume can pin."""
    files = [f"`{path}`" for path in facts.existing_control_files if path not in folders]
    if files:
        notes.downgrade(
            ControlName.CONTROL_FILES,
            f"under this gVisor, with directfs, the mode of {_list_names(files)} can be set from inside; what "
            "is in them cannot be changed",
            "register a runtime without directfs: `sandboxd setup gvisor --plan`",
        )


def say_what_may_be_moved(notes: Notes) -> None:
    """Note as a downgrade what gVisor with directfs lets programs do to every pin if its seccomp filter does not cover
    `exec`.
    """
    notes.downgrade(
        ControlName.CONTROL_FILES,
        "under this gVisor, with directfs, a program inside that makes mounts of its own can move what is "
        "pinned away, and put another in its place",
        "register a runtime without directfs: `sandboxd setup gvisor --plan`",
    )


def _list_names(names: list[str]) -> str:
    """The first of `names`, and how many more there are."""
    more = len(names) - _MOST_NAMED
    first = names[:_MOST_NAMED] if more > 1 else names
    return ", ".join(first) + (f" and {more} more" if more > 1 else "")


def _outermost_missing(facts: WorkspaceFacts, path: str) -> str:
    """The outermost missing part of `path`: `.git` rather than `.git/hooks` where neither exists."""
    top = path.split("/", 1)[0]
    exists = any(
        lies_in(other.path, top) for other in facts.control_files if other.kind != "missing"
    )
    return path if exists else top
