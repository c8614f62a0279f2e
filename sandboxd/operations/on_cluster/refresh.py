"""Sends files that are newer on the host than the copy in a Pod; what the sandbox itself changed stays."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.backends.kubernetes import records, running, work
from sandboxd.errors import EnvironmentFailure
from sandboxd.exchange import copied_git
from sandboxd.operations.on_cluster import _send
from sandboxd.operations.on_cluster._deliver import Delivery, run_with
from sandboxd.review import collect, original, refs, stop_notes
from sandboxd.review.arrival import ARRIVE, PART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.backends.kubernetes.records import Record
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.plan.hiding import Hiding
    from sandboxd.review.collect import Compared
    from sandboxd.review.original import Entry, Fields, Manifest

_FOLLOW = """
cd "$1" && git cat-file -e "$3^{commit}" || exit 1
git update-ref refs/sandboxd/host "$3" || exit 1
[ -n "$2" ] && [ "$(git symbolic-ref -q HEAD)" = "$4" ] || exit 2
[ "$(git rev-parse -q --verify HEAD)" = "$5" ] && git diff --cached --quiet || exit 2
if old=$(git rev-parse -q --verify "$2"); then git merge-base --is-ancestor "$old" "$3" || exit 2; fi
git update-ref -m 'as on the host' "$2" "$3" && git symbolic-ref HEAD "$2" && git reset -q
"""
_ITS_OWN = 2
# Only of the whole list: of a connection that breaks, the last name may be the beginning of one, and another file's.
_REMOVE = f"{ARRIVE} && xargs -0 rm -f -- <{PART}"
_REMOVE_FOLDERS = f"{ARRIVE} && xargs -0 rmdir -- <{PART}"


class Newer(NamedTuple):
    """Paths that differ on the host from the copy in the Pod (`changed`), and those that the host no longer has
    (`gone`).
    """

    changed: tuple[str, ...]
    gone: tuple[str, ...]
    has_commit: bool
    """Whether another commit is checked out on the host."""


class Refreshed(NamedTuple):
    """The result: files and bytes sent, files removed in the Pod, and paths left alone because the sandbox changed
    them.
    """

    files: int
    size: int
    removed: int
    conflicts: tuple[str, ...]
    branch: str
    """The reason why git inside is not at the host's commit; '' if it is, or no commit had to be sent."""


def newer(target: Target, record: Record, hiding: Hiding) -> Newer:
    """Compare the host with the copy in the Pod, by modification times and sizes; no content is read.

    :param record: what was copied there
    """
    survey = _send.survey(target, hiding)
    changed = [e.path for e in survey.entries if _is_other(record, e)]
    gone = [os.fsdecode(key.encode("latin-1")) for key in _gone(target, record, survey.entries)]
    head = refs.head(target.workspace)
    return Newer(tuple(changed), tuple(gone), bool(head[1]) and head != tuple(record.head))


def refresh(target: Target, uid: str, hiding: Hiding, say: Callable[[str], None]) -> Refreshed:
    """Send what is newer on the host to the Pod `uid`; files that the sandbox changed stay as they are there.

    Meanwhile all other processes in the sandbox are stopped. Another refresh of the same sandbox is waited for first,
    as its end would continue them.

    :raises EnvironmentFailure: the Pod does not accept a file (those that arrived are recorded), or it was replaced
    """
    place = (target.environ, target.cluster.context, target.pod)
    with records.locked(
        *place, records.REFRESH, lambda: say("waiting for another refresh of the sandbox to end")
    ):
        record = records.recall(*place)
        if record is None or record.uid != uid:
            raise EnvironmentFailure("the sandbox became another one meanwhile", "run it again")
        return _refresh(target, record, hiding, say)


def _refresh(
    target: Target, record: Record, hiding: Hiding, say: Callable[[str], None]
) -> Refreshed:
    entries = _send.survey(target, hiding).entries
    manifest = original.Manifest(
        {key: _fields(fields) for key, fields in record.listed.items()},
        {path: (pair[0], pair[1]) for path, pair in (record.times or {}).items()},
        set(record.git_objects),
    )
    delivery = Delivery(target, record.uid, manifest, say, beside_work=True)
    head, branch = record.head, ""
    say("comparing with what the sandbox has")
    try:
        news = _News(target, record, entries)
        takes, gone = news.takes(), news.gone_there()
        news.note_same(manifest)
        news.forget_held(manifest)
        _remove(target, manifest, [*gone, *news.replaced(takes)])
        objects = [e for e in entries if _is_new_object(e.path, manifest)]
        total = sum(e.status.st_size for e in (*objects, *takes))
        parcels = original.parcels(
            target.workspace, [*objects, *takes], manifest.listed, copied_git.edit_of
        )
        delivery.send(parcels, total)
        head, branch = _follow(target, record)
    finally:
        work.let_go_on(target, record.uid)
        _note(target, record.uid, manifest, head)
    return Refreshed(delivery.files, delivery.size, len(gone), news.conflicts(), branch)


class _News:
    """The paths that the host has newer, weighed against what the sandbox made of its copy."""

    def __init__(self, target: Target, record: Record, entries: list[Entry]) -> None:
        self._listed = record.listed
        by_key = {original.key_of(e.path): e for e in entries}
        self._others = {key: e for key, e in by_key.items() if _is_other(record, e)}
        self._gone = _gone(target, record, entries)
        above = {a for key in (*self._others, *self._gone) for a in _above(key)}
        asked = {k: by_key[k] for k in (*above, *self._others) if k in by_key}
        self._now: dict[str, Fields | None] = dict.fromkeys(self._gone)
        self._now |= {key: original.fields_of(target.workspace, e) for key, e in asked.items()}
        self._answer = self._ask(target, record)
        self._touched = set(self._now) - self._answer.untouched - self._answer.same
        # A folder with work of the sandbox is not replaced by a file, and stays there though it is gone here.
        held = self._answer.held.union(*map(_above, self._answer.held))
        self._touched |= held & self._others.keys()
        self._held = held & self._gone
        self._above_touched = {a for key in self._touched for a in _above(key)}

    def _ask(self, target: Target, record: Record) -> Compared:
        copy = collect.Copy(record.folder, record.started, listed=record.listed)
        stop_notes.note(target.environ, record.uid)
        return collect.compare(work.inside(target), copy, target.workspace, self._now)

    def _is_free(self, key: str) -> bool:
        """Whether the sandbox changed neither the path nor anything above or below it."""
        is_its_own = key in self._touched or key in self._above_touched
        is_below = not self._touched.isdisjoint(_above(key))
        return key in self._answer.untouched and not is_its_own and not is_below

    def takes(self) -> list[Entry]:
        """The entries to send."""
        return [e for key, e in self._others.items() if self._is_free(key)]

    def gone_there(self) -> list[str]:
        """The paths to remove in the Pod, since they are gone on this machine."""
        return sorted(key for key in self._gone - self._held if self._is_free(key))

    def forget_held(self, manifest: Manifest) -> None:
        """Note that folders are the sandbox's own by now: gone here, and something of it is in them there."""
        for key in filter(self._is_free, self._held):
            manifest.forget(key)

    def replaced(self, takes: Iterable[Entry]) -> list[str]:
        """The paths in the way of something of another kind, as a folder of a file."""
        keys = (original.key_of(e.path) for e in takes)
        return [
            key for key in keys
            if key in self._listed
            and stat.S_IFMT(self._listed[key][0]) != stat.S_IFMT(self._others[key].status.st_mode)
        ]  # fmt: skip

    def note_same(self, manifest: Manifest) -> None:
        """Record which files are the same here and in the Pod, as after a `review` that was applied."""
        for key in self._answer.same:
            fields = self._now[key]
            if fields is None:
                manifest.forget(key)
            elif key in self._others:
                entry = self._others[key]
                times = (entry.status.st_ctime_ns, entry.status.st_mtime_ns)
                manifest.add([original.Noted(entry.path, fields, times)])

    def conflicts(self) -> tuple[str, ...]:
        """The paths that stay as the sandbox has them though the host has them otherwise."""
        keys = (*self._others, *self._gone)
        rest = [key for key in keys if not self._is_free(key) and key not in self._answer.same]
        return tuple(sorted(os.fsdecode(key.encode("latin-1")) for key in rest))


def _fields(fields: Iterable[object]) -> Fields:
    mode, size, mtime, content = fields
    return int(str(mode)), int(str(size)), int(str(mtime)), str(content)


def _is_compared(path: str) -> bool:
    """Git's own folders are not files of the work."""
    return ".git" not in path.split("/")


def _is_new_object(path: str, manifest: Manifest) -> bool:
    is_object = path.startswith(original.OBJECTS) and path not in manifest.objects
    return is_object and not os.path.basename(path).startswith("tmp_")


def _is_other(record: Record, entry: Entry) -> bool:
    if not _is_compared(entry.path):
        return False
    fields, status = record.listed.get(original.key_of(entry.path)), entry.status
    if fields is None or stat.S_IFMT(fields[0]) != stat.S_IFMT(status.st_mode):
        return True
    if stat.S_ISDIR(status.st_mode):
        return False
    size = status.st_size if stat.S_ISREG(status.st_mode) else fields[1]
    return tuple(fields[:3]) != (status.st_mode, size, status.st_mtime_ns)


def _gone(target: Target, record: Record, entries: Iterable[Entry]) -> set[str]:
    """The paths that were sent and are not here any more; what git ignores by now is still here."""
    here = {original.key_of(e.path) for e in entries}
    missing = {key for key in record.listed if key not in here and _is_compared(key)}
    folder = os.fsencode(target.workspace)
    return {k for k in missing if not os.path.lexists(os.path.join(folder, k.encode("latin-1")))}


def _above(key: str) -> list[str]:
    parts = key.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _remove(target: Target, manifest: Manifest, keys: Iterable[str]) -> None:
    """Remove paths in the Pod that the sandbox did not change."""
    kinds = {key: stat.S_ISDIR(manifest.listed[key][0]) for key in keys}
    files = sorted(key for key, is_folder in kinds.items() if not is_folder)
    # Reversed, so that a folder is removed after those in it.
    folders = sorted((key for key, is_folder in kinds.items() if is_folder), reverse=True)
    for script, names in ((_REMOVE, files), (_REMOVE_FOLDERS, folders)):
        if not names:
            continue
        data = b"".join(f"./{name}".encode("latin-1") + b"\0" for name in names)
        words = ["sh", "-c", script, "sh", target.folder, str(len(data))]
        code, text = run_with(target, words, data)
        if code:
            raise EnvironmentFailure(f"the sandbox does not take files away: {text}", "")
    for key in kinds:
        manifest.forget(key)


def _follow(target: Target, record: Record) -> tuple[tuple[str, ...], str]:
    """Bring git inside to the host's commit, where nothing of its own stands there; the new `head`, and why not."""
    head, before = refs.head(target.workspace), tuple(record.head)
    if not head[1] or head == before:
        return before, ""
    words = ["sh", "-c", _FOLLOW, "sh", target.folder, *head, *before]
    code, output = running.quietly(target.cluster, target.pod, words)
    if not code:
        return head, ""
    if code == _ITS_OWN:
        return before, (
            "the branch there is left as the sandbox has it; "
            "your commit is `refs/sandboxd/host` there, for `git merge`"
        )
    return before, f"your commit cannot be used there: {' '.join(output.split())[:200]}"


def _note(target: Target, uid: str, manifest: Manifest, head: Iterable[str]) -> None:
    """Note what was sent, beside what others noted meanwhile; nothing where the sandbox is gone."""
    place = (target.environ, target.cluster.context, target.pod)
    with records.locked(*place):
        record = records.recall(*place)
        if record is None or record.uid != uid:
            return
        noted = record._replace(
            listed=manifest.listed,
            times=manifest.times if record.times is not None else None,
            git_objects=sorted(manifest.objects),
            head=tuple(head),
        )
        records.note(*place, noted)
