"""The writable folders inside: the root file system, the workspace or a private copy of it, home and `/tmp`.

`tmpfs` mounts use the options of the `--tmpfs` flag, since only these can allow programs to run (`exec`), which builds,
hooks and editors need in the home and in `/tmp`.
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from sandboxd.config.model import Setting, WorkspaceWishes
from sandboxd.errors import UsageError
from sandboxd.model.container import Container, Mount, Pair
from sandboxd.model.control_name import ControlName
from sandboxd.model.paths import lies_in
from sandboxd.model.values import Value
from sandboxd.plan.hot_trees import hot_trees
from sandboxd.plan.hot_trees import why as why_hot
from sandboxd.plan.linked_worktree import path_inside
from sandboxd.plan.mounts import (
    git_to_mount,
    refuse_links,
    say_what_may_be_moved,
    target_folder,
    workspace_mounts,
)
from sandboxd.plan.notes import Notes
from sandboxd.plan.own_git import OwnGit
from sandboxd.plan.pinned_volume import read_only_folder
from sandboxd.plan.profiles import Profile
from sandboxd.plan.runtime import Choice
from sandboxd.plan.tool_folders import Tree
from sandboxd.plan.workspace import Program, WorkspaceFacts

HOME = "/home/sandbox"
SOURCE = "/sandboxd/workspace"
"""The folder inside at which the original of a private copy is mounted read-only."""

REPOSITORY = "/sandboxd/git"
"""The folder inside at which the repository of a copied work tree is mounted read-only."""

MARK_FOLDER = "/sandboxd/copy"
MARK = f"{MARK_FOLDER}/whole"
"""The file inside that is created when a private copy is complete, on a tmpfs of its own, where no file of a repository
is.
"""

# Under gVisor a pipe of two `tar` takes a third of the time of `cp`. The shell does not tell that the first
# part of a pipe failed, and an image may have no `tar`. It also fails where the host writes a file meanwhile;
# `cp -f` then copies over what cannot be written, as git's objects. Each entry is named, for the folder itself may be
# another user's, whose mode and times cannot be set.
COPY = (
    "sh",
    "-c",
    'to=$2; mark=$3; cd "$1" || exit 1; shift 3; '
    'for f in * .[!.]* ..?*; do if [ -e "$f" ] || [ -L "$f" ]; then set -- "$@" "./$f"; fi; done; '
    '[ $# -gt 0 ] || { : > "$mark"; exit; }; '
    'bad=$({ { tar -cf - "$@" || echo 1 >&3; } | tar -C "$to" -xpf - || echo 1 >&3; } 3>&1); '
    '[ -z "$bad" ] || cp -RPpf "$@" "$to" || exit 1; : > "$mark"',
    "sh",
)

# PID 1 that ends at once when it is asked to, and collects what `exec` leaves behind.
_KEEP_ALIVE = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Layout(NamedTuple):
    """The mounts and variables for a sandbox's writable folders.

    `first` are mounts in the order to make them; `last` are made after those of the user's config. `command` is the
    container's command, () for the image's. `prepare` is a command that has to run inside, as the user, before the
    sandbox is ready; () for none. `stubs` are placeholders that have to exist in the workspace before.
    """

    first: tuple[Value[Mount], ...]
    last: tuple[Value[Mount], ...] = ()
    env: tuple[Value[Pair], ...] = ()
    read_only_root: Value[bool] | None = None
    command: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    repository: Mount | None = None
    own_git: OwnGit | None = None
    stop_signal: Value[str] | None = None
    stubs: tuple[str, ...] = ()
    replaced: frozenset[str] = frozenset()
    """The paths inside of mounts of the workspace that a copy that is kept the same takes the place of."""


def layout(
    profile: Profile,
    facts: WorkspaceFacts,
    choice: Choice,
    user: Value[str] | None,
    wishes: WorkspaceWishes,
    covered: frozenset[str],
    notes: Notes,
) -> Layout:
    """The mounts of the workspace and of the other writable folders inside.

    `covered` are folders inside at which the user's config mounts something itself.

    :raises UsageError: a file on which tools of the host act cannot be mounted read-only
    """
    target = target_folder(facts.path)
    last: tuple[Value[Mount], ...] = ()
    known = len(notes.downgrades)
    if profile.access == "rw":
        first = workspace_mounts(facts, choice.plain_pins_hold, notes)
        if facts.existing_control_files and not choice.keeps_mount_points:
            say_what_may_be_moved(notes)
    else:
        refuse_links(facts)
        inside = target if profile.access == "ro" else SOURCE
        first = (_read_only(facts.path, inside, choice.plain_pins_hold, notes),)
    if profile.access == "copy":
        why = "says that the private copy is whole"
        mark = memory_folder(MARK_FOLDER, "64k", "755", user, notes, why)
        last = (_copy(profile, target, user, wishes, notes), mark)
    free = tuple(t for t in facts.hot if posixpath.join(target, t.path) not in covered)
    hot = hot_trees(profile, facts._replace(hot=free), choice, wishes, notes)
    for tree in hot:
        inside = posixpath.join(target, tree.path)
        last += (
            memory_folder(inside, profile.hot, "755", user, notes, why_hot(tree), limit="hot"),
        )
    replaced: frozenset[str] = frozenset()
    if profile.synced:
        _say_only_of_other_tools(notes, known)
        own = facts.own_git.inside if facts.own_git is not None else ""
        mounts = (value.value for value in (*first, *last) if value.value.source != own)
        replaced = frozenset(mount.target for mount in mounts if _is_of_copy(mount, target))
    home: tuple[Value[Pair], ...] = ()
    root = None
    if profile.read_only_root:
        why = "programs of the image cannot be replaced"
        root = notes.value("read_only_rootfs", True, "true", why)
        last += (
            memory_folder(HOME, profile.home, "700", user, notes, limit="home"),
            # A path inside; nothing is opened here.
            memory_folder("/tmp", profile.tmp, "1777", user, notes, limit="tmp"),  # noqa: S108
        )
        why = "the image's own home cannot be written"
        home = (notes.value("env", Pair("HOME", HOME), "HOME", why),)
        workspace = "" if profile.access == "ro" else "the workspace, and "
        notes.downgrade(
            ControlName.WRITABLE_ROOT_FILE_SYSTEM,
            f"only {workspace}`{HOME}` and `/tmp`, in memory, can be written",
        )
    first += tuple(_program(program, notes) for program in facts.programs)
    prepare = (*COPY, SOURCE, target, MARK) if profile.access == "copy" else ()
    return Layout(
        first,
        last,
        home,
        root,
        _command(profile, choice, notes),
        prepare,
        _repository(profile, facts, choice, notes),
        git_to_mount(facts) if profile.access == "rw" else None,
        _stop_signal(profile, notes),
        _stubs(profile, facts, hot),
        replaced,
    )


def _say_only_of_other_tools(notes: Notes, since: int) -> None:
    """Have what was noted of mounts of the workspace hold only where another tool makes them."""
    notes.downgrades[since:] = [
        each if each.control == ControlName.GIT_INSIDE else each._replace(of_other_tools=True)
        for each in notes.downgrades[since:]
    ]


def _is_of_copy(mount: Mount, target: str) -> bool:
    """Whether a copy of the workspace has what `mount` would show; `.git` at its top has no place in it."""
    return lies_in(mount.target, target) and mount.target != f"{target}/.git"


def _repository(
    profile: Profile, facts: WorkspaceFacts, choice: Choice, notes: Notes
) -> Mount | None:
    """The mount of a linked work tree's repository: as a source of the copy, or where the file `.git` names it.

    None where there is none, or where it cannot be at that path inside.
    """
    if facts.linked is None or (profile.access == "rw" and facts.own_git is not None):
        return None
    if profile.access == "copy":
        target = REPOSITORY
        why = "the repository of this work tree: the copy gets its commits, and no hook and no submodule"
    else:
        target = path_inside(target_folder(facts.path), facts.linked)
        why = "the repository of this work tree: who can write there has git on the host write anywhere"
    if not target:
        return None
    notes.reason("mounts", f"{target} (read-only)", why, "host")
    return read_only_folder(facts.linked.common, target, choice.plain_pins_hold)


def _stubs(profile: Profile, facts: WorkspaceFacts, hot: tuple[Tree, ...]) -> tuple[str, ...]:
    """Folders that must exist to be mounted over: the engine would make them as root."""
    if profile.access != "rw":
        return ()
    return (*facts.of_kind("stub"), *(tree.path for tree in hot if tree.state == "missing"))


def without_control_over(base: Container, notes: Notes) -> Container:
    """`base` without the environment variables that the layout sets itself."""
    values = []
    for value in base.env:
        if value.value.name == "HOME":
            notes.leave_out(value, f"the home is `{HOME}`, where something can be written")
        else:
            values.append(value)
    return base._replace(env=tuple(values))


def _read_only(path: str, inside: str, plain_pins_hold: bool, notes: Notes) -> Value[Mount]:
    mount = read_only_folder(path, inside, plain_pins_hold)
    why = "nothing inside can change it"
    if not plain_pins_hold:
        why = "by a volume, since under this gVisor a plain read-only bind can be emptied"
    return notes.value("mounts", mount, f"{inside} (read-only)", f"the workspace: {why}")


def _program(program: Program, notes: Notes) -> Value[Mount]:
    options = ("volume-nocopy", f"volume-label={program.label}")
    mount = Mount("volume", program.volume, program.target, read_only=True, options=options)
    why = "a program that was verified when it was put there; nothing inside can change it"
    return notes.value("mounts", mount, f"{program.target} (read-only)", why)


def _copy(
    profile: Profile,
    target: str,
    user: Value[str] | None,
    wishes: WorkspaceWishes,
    notes: Notes,
) -> Value[Mount]:
    if profile.lasts:
        notes.downgrade(
            ControlName.RESULTS,
            "the work is done on a private copy: nothing of it is in your folder until you bring it; "
            f"where another tool than `sandboxd up` starts it, it is in memory, {profile.copy} at most, and "
            "goes with the sandbox",
            "`sandboxd review` shows what changed and brings it; `sandboxd down` keeps the copy",
        )
    else:
        _say_memory(profile, notes)
    why = "a private copy of the workspace, in memory"
    return memory_folder(target, profile.copy, "755", user, notes, why, wishes.layout, "copy")


def _say_memory(profile: Profile, notes: Notes) -> None:
    notes.downgrade(
        ControlName.RESULTS,
        f"the work is done on a private copy of {profile.copy} at most, in memory: it goes with the "
        "sandbox, and nothing of it is on the host until you bring it",
        "`sandboxd review` shows what changed and brings it; `sandboxd down` keeps it first"
        + (f", the end of the time limit ({profile.time}) does not" if profile.time else ""),
    )


def memory_folder(
    target: str,
    size: str,
    mode: str,
    user: Value[str] | None,
    notes: Notes,
    why: str = "in memory",
    wish: Setting[str] | None = None,
    limit: str = "",
) -> Value[Mount]:
    """A mount of memory at `target` inside, which belongs to `user`.

    :param mode: its permissions in octal; everybody may write where the user has no number
    :param wish: the setting that asks for it; None where the profile does
    :param limit: the name of the limit that is its size; '' for none
    """
    options = ["rw", "exec", "nosuid", "nodev", f"size={size}"]
    uid, _, gid = user.value.partition(":") if user is not None else ("", "", "")
    if mode != "1777" and uid.isdigit():
        options += [f"mode={mode}", f"uid={uid}", f"gid={gid or uid}"]
    else:
        # A user's name means a number only inside.
        options.append("mode=1777")
    mount = Mount("tmpfs", "", target, options=tuple(options))
    why += ", counted against the memory limit, gone with the container"
    decider = ("config", wish.place) if wish is not None else notes.decider_of(limit)
    return notes.value("mounts", mount, f"{target} ({size} in memory)", why, *decider)


def _command(profile: Profile, choice: Choice, notes: Notes) -> tuple[str, ...]:
    if not profile.time:
        return ("/bin/sh", "-c", _KEEP_ALIVE)
    notes.downgrade(
        ControlName.TIME_LIMIT,
        f"{profile.time}, for a sandbox that `sandboxd up` starts; one that an editor starts from "
        "the generated file runs on",
    )
    if choice.gvisor:
        notes.downgrade(
            ControlName.TIME_LIMIT,
            "under gVisor a program inside can halt the first process, and the clock with it",
            "end it yourself: `sandboxd down`",
        )
    # As PID 1 itself: Linux lets no signal from inside stop it, unlike one of its children.
    return ("/bin/sh", "-c", f"exec sleep {seconds(profile.time)}")


def _stop_signal(profile: Profile, notes: Notes) -> Value[str] | None:
    if not profile.time:
        return None
    why = "its first process hears no other signal, and nothing of it is to be saved"
    return notes.value("stop_signal", "SIGKILL", "SIGKILL", why)


def seconds(text: str) -> int:
    """The number of seconds in a text such as ``1h``.

    :raises UsageError: it has another form
    """
    if text[-1:] not in _SECONDS or not text[:-1].isdigit():
        raise UsageError(f"`{text}` is no time", "write it like `90s`, `30m` or `1h`")
    return int(text[:-1]) * _SECONDS[text[-1]]
