"""The user's answers about names: what one project's sandbox may, or may not, reach beyond its plan.

They are saved in the user's config folder, like the grants of `trust`, where no sandbox can read or write. An answer is
for a folder by path and inode: another folder at the same path has none, also where it got the same inode.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.audit import notes
from sandboxd.egress import elapsed
from sandboxd.egress.approvals import Approval, Limits
from sandboxd.egress.elapsed import Moment
from sandboxd.egress.names import NotAName, pattern
from sandboxd.egress.ports import HIGHEST_PORT, is_port
from sandboxd.errors import SandboxdError, UnreadableError, UsageError
from sandboxd.file_lock import LONGEST_SECONDS, locked_beside
from sandboxd.files import decode, leads_below, read_bytes, write_private
from sandboxd.policy.floor import Floor, user_folder
from sandboxd.policy.own_files import refuse_foreign, status_of
from sandboxd.toml_output import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


FILE_NAME = "egress.toml"
MOST_OF_PROJECT = 256
MOST = 2048

_GET_VERSION = 0x80087601

_SET_SECONDS = 60.0
"""A clock may be corrected by less than this at any time; a larger difference means that somebody set it."""

_COMMENT = """\
Names that the sandbox of a project may reach, or may not, by answers of this user.
`sandboxd egress allow`, `deny` and `promote` write this file anew."""
_UNKNOWN = "what you denied"
_ANSWERS = {"allow": True, "deny": False}


class _Folder(NamedTuple):
    """A project's folder, so that another one at the same path is known to be another one."""

    path: str
    inode: int
    """0 where there is no such folder."""
    generation: int = 0
    """Differs between two folders that had the same inode one after the other; 0 where the file system does not say."""

    def is_same(self, now: _Folder) -> bool:
        """Whether `now`, the folder at the path at this moment, is surely this one; False where there is none."""
        if not self.inode or (self.path, self.inode) != (now.path, now.inode):
            return False
        return self.generation in (0, now.generation)


class _Entry(NamedTuple):
    """One approval, with its folder and the time when it was given."""

    folder: _Folder
    approval: Approval
    given: Moment = elapsed.NEVER

    @property
    def workspace(self) -> str:
        """The path of the folder."""
        return self.folder.path

    def until(self, now: float, moment: Moment) -> float:
        """The time at which it ends, by the clock as it is set now; 0 for never.

        Setting the clock back does not lengthen it: within one run of the machine the elapsed time is known.
        """
        until, when = self.approval.until, self.approval.when
        if not until:
            return 0.0
        if not self.given.boot or self.given.boot != moment.boot:
            return until if now >= when - _SET_SECONDS else now
        left = until - when - (moment.seconds - self.given.seconds)
        return now + left if now + left < until - _SET_SECONDS else until

    def now(self, now: float, moment: Moment) -> Approval | None:
        """The approval with its present end; None where it has ended."""
        approval = self.approval._replace(until=self.until(now, moment))
        return None if approval.ended(now) else approval


def of_project(
    environ: Mapping[str, str], workspace: str, now: float, *, with_used: bool = False
) -> tuple[Approval, ...]:
    """The answers for `workspace` that have not ended, oldest first.

    If the user's config folder is inside the workspace, they are ignored, as programs inside could write them.

    :param workspace: its real path
    :param now: seconds since 1970
    :param with_used: also those that are used up, whose connection may be open
    :raises UsageError: the file exists and is not valid, or belongs to another user
    """
    if leads_below(_path(environ), workspace):
        return ()
    entries, moment = _read(environ), elapsed.moment()
    if not entries:
        return ()
    folder = _folder_at(workspace)
    living = [(entry, entry.now(now, moment)) for entry in entries]
    if any(approval is None for _, approval in living):
        # An approval that has ended must not begin again when the clock goes back; it ends also where nothing can be written.
        with contextlib.suppress(SandboxdError):
            _change(environ, now, lambda rest: rest, takes_back=True, seconds=0.0)
    return tuple(
        approval
        for entry, approval in living
        if approval is not None
        # A denial holds for its path: no change of the folder gives back what was denied.
        and (entry.workspace == workspace if not approval.allows else entry.folder.is_same(folder))
        and (with_used or not approval.is_used)
    )


def check(environ: Mapping[str, str]) -> None:
    """Read the answers of all projects.

    :raises UsageError: as `of_project`
    """
    _read(environ)


def limits(floor: Floor) -> Limits:
    """What the policy minimum lets a user allow."""
    lists = floor.network_allow
    return Limits(
        not floor.no_trust,
        tuple(tuple(rule for each in held for rule in each.rules("policy")) for held in lists),
    )


def add(environ: Mapping[str, str], workspace: str, approval: Approval) -> str:
    """Save an answer.

    It replaces an earlier answer about the same pattern, whether that allowed or denied it; but approvals of different
    ports are kept next to each other.

    :returns: the reason why a denial is not in the audit record; '' if it is
    :raises UsageError: there are too many answers, or the file would be inside the workspace
    :raises RecordFailure: an approval cannot be recorded, and is not saved
    """
    path = _path(environ)
    if leads_below(path, workspace):
        raise UsageError(
            f"approvals would be written to `{path}`, within the workspace itself",
            "set XDG_CONFIG_HOME to a folder outside of it",
        )
    entry = _Entry(_folder_at(workspace), approval, elapsed.moment())

    def change(entries: list[_Entry]) -> list[_Entry]:
        others = [other for other in entries if not _is_replaced(other, entry)]
        of_same = sum(o.workspace == workspace and not o.approval.is_used for o in others)
        if (approval.allows and of_same >= MOST_OF_PROJECT) or len(others) >= MOST:
            raise UsageError(
                f"there are {of_same} approvals for `{workspace}`, and {len(others)} in all: too many",
                "make the lasting ones rules of its sandboxd.toml: `sandboxd egress promote NAME`",
            )
        if approval.allows:
            notes.require(environ, "approval", workspace, **_facts(approval))
        return [*others, entry]

    _change(environ, approval.when, change, takes_back=not approval.allows)
    return "" if approval.allows else notes.note(environ, "denial", workspace, **_facts(approval))


def remove(
    environ: Mapping[str, str],
    workspace: str,
    now: float,
    is_meant: Callable[[Approval], bool],
) -> tuple[tuple[Approval, ...], str]:
    """Remove the answers for which `is_meant` is true.

    :param now: seconds since 1970
    :returns: the removed answers, and the reason why that is not in the audit record ('' if it is)
    :raises RecordFailure: a denial is among them and the removal cannot be recorded; then all stay
    """

    problem = ""

    def is_recorded(gone: list[Approval]) -> None:
        nonlocal problem
        facts = {"names": [str(approval.pattern) for approval in gone]}
        if any(not approval.allows for approval in gone):
            notes.require(environ, "answers-removed", workspace, **facts)
        elif gone:
            problem = notes.note(environ, "answers-removed", workspace, **facts)

    gone: list[Approval] = []

    def change(entries: list[_Entry]) -> list[_Entry]:
        rest = []
        for entry in entries:
            if entry.workspace == workspace and is_meant(entry.approval):
                gone.append(entry.approval)
            else:
                rest.append(entry)
        is_recorded(gone)
        return rest

    _change(environ, now, change, takes_back=True)
    return tuple(gone), problem


def use_up(
    environ: Mapping[str, str],
    workspace: str,
    serials: Iterable[str],
    *,
    seconds: float = LONGEST_SECONDS,
) -> bool:
    """Note that the approvals for one connection with these serials were used; return False if none is there unused.

    :param seconds: the longest wait for another process that writes the answers
    """

    meant, is_found = {serial for serial in serials if serial}, False
    if not meant:
        return False

    def is_meant(entry: _Entry) -> bool:
        approval = entry.approval
        return entry.workspace == workspace and approval.once in meant and not approval.is_used

    def change(entries: list[_Entry]) -> list[_Entry]:
        nonlocal is_found
        is_found = any(map(is_meant, entries))
        return [
            each._replace(approval=each.approval._replace(is_used=True)) if is_meant(each) else each
            for each in entries
        ]

    _change(environ, None, change, takes_back=True, seconds=seconds)
    return is_found


def _facts(approval: Approval) -> dict[str, Any]:
    return {
        "name": str(approval.pattern),
        "ports": list(approval.ports),
        "until": approval.until,
        "once": bool(approval.once),
        "by_way_of": approval.by,
    }


def _is_replaced(old: _Entry, new: _Entry) -> bool:
    if (old.workspace, old.approval.pattern) != (new.workspace, new.approval.pattern):
        return False
    if old.approval.is_used and new.approval.allows:
        # It is for a connection that may be open.
        return False
    if old.folder != new.folder or old.approval.allows != new.approval.allows:
        return True
    return not old.approval.allows or set(old.approval.ports) <= set(new.approval.ports)


def _change(
    environ: Mapping[str, str],
    now: float | None,
    change: Callable[[list[_Entry]], list[_Entry]],
    *,
    takes_back: bool,
    seconds: float = LONGEST_SECONDS,
) -> None:
    """Read, change and write under one lock; approvals that have ended are dropped.

    :param now: seconds since 1970; None: all stay
    :param seconds: the longest wait for another process that does the same
    """
    path = _path(environ)
    # Two who answer at once must not lose one's no.
    with locked_beside(path, seconds=seconds):
        before = _read(environ)
        living = before
        if now is not None:
            moment = elapsed.moment()
            living = [entry for entry in before if entry.now(now, moment) is not None]
        after = change(living)
        if after != before:
            text = document({"approvals": [_table(e) for e in after]}, _COMMENT)
            write_private(path, text, takes_back=takes_back)


def _read(environ: Mapping[str, str]) -> list[_Entry]:
    path = _path(environ)
    status = status_of(path, _UNKNOWN)
    if status is None:
        return []
    import tomllib

    refuse_foreign(path, status, 0o022)
    try:
        return [_entry(table) for table in tomllib.loads(decode(read_bytes(path)))["approvals"]]
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    except (ValueError, KeyError, TypeError) as error:
        is_ours = isinstance(error, tomllib.TOMLDecodeError | NotAName)
        reason = f": {error}" if is_ours else ""
        raise UsageError(
            f"`{path}` is not a list of approvals{reason}",
            "correct it; or remove it, then answer again: `sandboxd egress allow`, `deny`",
        ) from None


def _entry(table: Mapping[str, Any]) -> _Entry:
    ports = tuple(table["ports"])
    if not all(map(is_port, ports)):
        raise ValueError(f"a port is no number from 1 to {HIGHEST_PORT}")
    until, when = table["until"], table["when"]
    if type(until) not in (int, float) or type(when) not in (int, float):
        raise TypeError("a time is no number")
    approval = Approval(
        pattern(str(table["name"])),
        ports,
        _ANSWERS[table["answer"]],
        float(when),
        str(table["by"]),
        float(until),
        str(table["once"] or ""),
        table.get("used") is True,
    )
    given = Moment(str(table.get("boot", "")), float(table.get("passed", 0.0)))
    folder = _Folder(str(table["workspace"]), int(table["inode"]), int(table.get("generation", 0)))
    return _Entry(folder, approval, given)


def _table(entry: _Entry) -> dict[str, Any]:
    approval = entry.approval
    return {
        "workspace": entry.folder.path,
        "inode": entry.folder.inode,
        "generation": entry.folder.generation,
        "name": str(approval.pattern),
        "ports": list(approval.ports),
        "answer": "allow" if approval.allows else "deny",
        "until": approval.until,
        "once": approval.once,
        "used": approval.is_used,
        "when": approval.when,
        "by": approval.by,
        "boot": entry.given.boot,
        "passed": entry.given.seconds,
    }


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(user_folder(environ), FILE_NAME)


def _folder_at(path: str) -> _Folder:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        status = status_of(path, _UNKNOWN)
        return _Folder(path, status.st_ino if status is not None else 0)
    try:
        return _Folder(path, os.fstat(descriptor).st_ino, _generation(descriptor))
    finally:
        os.close(descriptor)


def _generation(descriptor: int) -> int:
    """The inode's generation (ioctl_iflags(2), `FS_IOC_GETVERSION`); 0 where it is not known.

    File systems without one, such as btrfs and tmpfs, give no inode number to a second folder.
    """
    if sys.platform != "linux":
        return 0
    import fcntl

    answer = bytearray(8)
    try:
        fcntl.ioctl(descriptor, _GET_VERSION, answer)
    except OSError:
        return 0
    return int.from_bytes(answer[:4], sys.byteorder)
