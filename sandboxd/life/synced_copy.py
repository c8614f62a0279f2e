"""The copy of a workspace that is kept the same: opens both sides of it, compares them once, and lets nothing of it go
with its container unsaid.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.folders import cache_folder
from sandboxd.forward.trunk import open_program
from sandboxd.model.labels import VOLUME_TIME
from sandboxd.model.sandbox_id import name_option, workspace_of
from sandboxd.plan.git_ignore_file import ignore_file
from sandboxd.plan.git_named import named_by_git
from sandboxd.review import collect, stop_notes
from sandboxd.screen import first_of
from sandboxd.sync import last_state, program, record
from sandboxd.sync.git_ignored import GitIgnored
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.place import place_of
from sandboxd.sync.record import Record
from sandboxd.sync.remote import Ended, RemoteSide
from sandboxd.sync.retention import DAYS, Retention
from sandboxd.sync.run import Rest, keep_the_same, put_back
from sandboxd.sync.session import Pair
from sandboxd.sync.stamps import Stamps
from sandboxd.sync.state import Kind, Root
from sandboxd.sync.watched import WatchedSide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.plan.plan import Plan
    from sandboxd.sync.engine import Event
    from sandboxd.sync.run import Report

_MOST_RUNS = 5
"""Comparisons before a container ends, at most: a program inside may write all the time."""
_MOST_NAMED = 6


class Opened(NamedTuple):
    """Both sides of a copy; `inside` and `host` are those of `pair`."""

    pair: Pair
    inside: RemoteSide
    host: LocalSide


def note(environ: Mapping[str, str], plan: Plan, container: str) -> None:
    """Record the copy of `plan` in a container that was not started yet, or has the same plan; or that it has none.

    :raises EnvironmentFailure: it cannot be recorded
    :raises OSError: an earlier record cannot be removed
    """
    place, copy = place_of(environ, plan.sandbox), plan.synced
    if copy is None:
        record.remove(place)
    else:
        new = Record(container, copy.target, copy.volume, copy.wanted, plan.sandbox, plan.hiding)
        record.write(place, new)


def record_of(environ: Mapping[str, str], sandbox: str, container: str) -> Record | None:
    """The record of the copy in a container; None if it has none that is kept the same.

    :param sandbox: the sandbox's identity
    :param container: its id
    """
    return record.read_of(place_of(environ, sandbox), container)


@contextlib.contextmanager
def opened(
    engine: Engine,
    environ: Mapping[str, str],
    sandbox: str,
    copy: Record,
    tell: Callable[[Event], None] | None = None,
) -> Iterator[Opened]:
    """Both sides of the copy that `copy` is the record of, while the block runs.

    :param tell: called with what either side tells of changes; None for sides that are only looked at
    :raises EnvironmentFailure: the container does not run, has another copy, or cannot run our program
    :raises OSError: the folder of the state cannot be written
    """
    place, workspace = place_of(environ, sandbox), workspace_of(sandbox)
    root = _identity(engine, copy)
    text = program.text(copy.target)
    trunk = open_program(engine, copy.container, cache_folder(environ), text)
    with contextlib.ExitStack() as closing:
        closing.callback(trunk.close)
        if _identity(engine, copy) != root:
            raise EnvironmentFailure("the sandbox was started anew meanwhile", "try it again")
        retention = Retention(place.retention)
        of_host, of_inside = map(Stamps, place.stamps)
        # In memory, a file that is written through a mapping keeps its times.
        of_copy = of_inside if copy.volume else None
        inside = RemoteSide(trunk, root, tell or (lambda _event: None), stamps=of_copy)
        closing.callback(inside.end)
        host = LocalSide(workspace, retention, is_host=True, stamps=of_host)
        if tell is not None:
            host = watched = WatchedSide(workspace, retention, tell, stamps=of_host)
            closing.callback(watched.close)
            closing.callback(watched.hearing.end)
        policies = GitIgnored(
            workspace,
            ignore_file(workspace, environ),
            copy.wanted,
            copy.hiding,
            lambda: named_by_git(workspace, environ),
        )
        journal = Journal(place.journal)
        pair = Pair(host, inside, journal, policies, (retention,), root)
        closing.callback(pair.save_stamps)
        yield Opened(pair, inside, host)


def compare(engine: Engine, environ: Mapping[str, str], sandbox: str, copy: Record) -> Report:
    """Make both sides of a copy equal once.

    :raises EnvironmentFailure: they cannot be compared
    """
    with _failures(), opened(engine, environ, sandbox, copy) as both:
        return _noted(environ, sandbox, copy, both.pair.compare())


def _noted(environ: Mapping[str, str], sandbox: str, copy: Record, report: Report) -> Report:
    """`report`, once it is what `status` and `review` show."""
    last_state.write(place_of(environ, sandbox), last_state.of_report(copy.container, report))
    return report


def answer(
    engine: Engine,
    environ: Mapping[str, str],
    sandbox: str,
    copy: Record,
    removals: int,
    *,
    restores: bool,
) -> Report:
    """Make both sides of a copy equal by the user's answer to the question whether many files may go.

    :param removals: so many may go; another number than there are is refused
    :param restores: restore them instead, on the side that lacks them
    :raises UsageError: no question waits, or it is about another number of files
    :raises EnvironmentFailure: both sides cannot be compared
    """
    with _failures(), opened(engine, environ, sandbox, copy) as both:
        report = both.pair.compare()
        stop = report.last.stop
        if stop is None or not stop.files:
            raise UsageError(
                "no removal waits for an answer", "`sandboxd review` shows what differs"
            )
        if restores:
            with both.pair.turn():
                put_back(*both.pair[:4])
            report = both.pair.compare()
        elif removals != len(stop.files):
            raise UsageError(
                f"there are {len(stop.files)} removals, not {removals}",
                f"look at them (`sandboxd review`), then `--apply --deletions {len(stop.files)}`",
            )
        else:
            report = both.pair.compare(stop.files)
        return _noted(environ, sandbox, copy, report)


@contextlib.contextmanager
def before_end(
    engine: Engine,
    environ: Mapping[str, str],
    sandbox: str,
    container: str,
    progress: Callable[[str], None],
) -> Iterator[None]:
    """Have everything of the copy in a running container on the host, or kept for `retention.DAYS`, or named; the block
    then ends the container.

    The processes in a container whose copy is in memory are stopped before the last comparison, but for process 1 and
    what is started in it from then on. If the block raises, or something would be lost, they continue.

    :raises EnvironmentFailure: something would be lost; then the container must not end
    """
    copy = record_of(environ, sandbox, container)
    if copy is None:
        yield
        return
    try:
        _keep_all(engine, environ, sandbox, copy, progress)
        yield
    except BaseException:
        if stop_notes.is_noted(environ, container):
            collect.let_go_on(engine, container)
        raise
    stop_notes.forget(environ, container)


def _keep_all(
    engine: Engine,
    environ: Mapping[str, str],
    sandbox: str,
    copy: Record,
    progress: Callable[[str], None],
) -> None:
    option = name_option(sandbox)
    try:
        with _failures(), opened(engine, environ, sandbox, copy) as both:
            report = _noted(environ, sandbox, copy, _at_rest(both.pair))
            if not copy.volume:
                if report.rest is Rest.STOPPED:
                    _require_same(last_state.problem_of(report), option)
                stop_notes.note(environ, copy.container)
                report = _noted(environ, sandbox, copy, _held(both))
                _require_same(last_state.problem_of(report), option)
                keep_what_stays(both.pair, report, place_of(environ, sandbox).retention, progress)
            problem = last_state.problem_of(report)
    except failures.NoAnswer:
        raise
    except SandboxdError as error:
        if copy.volume:
            problem = error.message
        elif _has_ended(engine, copy.container):
            # Its memory went with it, and there is nothing left to lose.
            return
        else:
            raise EnvironmentFailure(
                f"the copy inside would be lost, so it goes on running: {error.message}",
                f"{error.hint or 'look at `sandboxd status`'}; or throw it away: `sandboxd down{option} --discard`",
            ) from None
    if problem:
        progress(f"not all of the copy inside is in your folder: {problem}")
        progress("  it stays in its volume: the next `sandboxd up` takes it up")


def _held(both: Opened) -> Report:
    """The report of a comparison in which the processes inside are stopped, and stay so."""
    # In a turn: the daemon's session would have its program inside stopped in the middle of its own.
    with both.pair.turn():
        both.inside.hold_others()
        return keep_the_same(*both.pair[:4])


def _has_ended(engine: Engine, container: str) -> bool:
    try:
        return not engine.inspect(container)["State"].get("Running")
    except failures.ContainerGone:
        return True


def _at_rest(pair: Pair) -> Report:
    """The report of the last of several comparisons: what was written during one is seen by the next."""
    for _ in range(_MOST_RUNS):
        report = pair.compare()
        if not report.done or last_state.problem_of(report):
            break
    return report


def _require_same(problem: str, option: str) -> None:
    if problem:
        raise EnvironmentFailure(
            problem, f"`sandboxd review{option}` shows it, and takes your answer"
        )


def keep_what_stays(
    pair: Pair, report: Report, folder: str, progress: Callable[[str], None]
) -> None:
    """Keep the files and links that the host's folder never had as they are inside, and name what is never copied.

    :param report: of the last comparison of `pair`, after which both sides were the same
    :param folder: where they are kept, for a person
    :raises EnvironmentFailure: there is no room for it
    :raises OSError: it cannot be read or written
    """
    assert report.inside is not None
    paths = []
    (retention,) = pair.retentions
    # Of a folder that stays as a whole, the report names no more than the folder.
    for path, entry in sorted(report.inside.entries.items()):
        content = entry.content
        if entry.is_folder or content == pair.journal.agreed.get(path):
            continue
        if not retention.has_room(entry.size):
            raise EnvironmentFailure(
                f"there is no room to keep `{path}`",
                f"remove what you do not need in `{folder}`",
            )
        is_link = content.kind is Kind.LINK
        chunks = (os.fsencode(content.text),) if is_link else pair.inside.source().read(path)
        retention.add(path, chunks, content.kind)
        paths.append(path)
    if paths:
        progress(
            f"changed inside and not in your folder: {first_of(paths, _MOST_NAMED)}; kept for {DAYS} days in {shlex.quote(folder)}"
        )
    if unread := sorted(report.inside.unknown):
        progress(
            f"cannot be read inside, and goes with the sandbox: {first_of(unread, _MOST_NAMED)}"
        )
    if only := last_state.never_copied(report.inside):
        progress(
            "in memory alone, since git ignores it or it is a repository's own folder, and gone with the sandbox: "
            f"{first_of(only, _MOST_NAMED)}"
        )


def _identity(engine: Engine, copy: Record) -> Root:
    """The identity of the copy, by what the engine says of the container: nobody inside decides about it.

    A copy in memory is another one after each start of the container.

    :raises EnvironmentFailure: the container does not run, or has no such copy
    """
    inspected = engine.inspect(copy.container)
    text = _copy_in(engine, inspected, copy)
    if not text or not inspected["State"].get("Running"):
        raise EnvironmentFailure(
            f"`{inspected['Name'].lstrip('/')}` does not run with the copy that it was created with",
            "`sandboxd up` starts it, or makes it anew",
        )
    digest = hashlib.sha256(text.encode()).digest()
    return Root(int.from_bytes(digest[:7], "big"), int.from_bytes(digest[7:14], "big"))


def _copy_in(engine: Engine, inspected: Inspected, copy: Record) -> str:
    """A text that no other copy has; '' where the container has none."""
    if not copy.volume:
        in_memory = copy.target in (inspected["HostConfig"].get("Tmpfs") or {})
        return f"{inspected['Id']} {inspected['State']['StartedAt']}" if in_memory else ""
    for mount in inspected.get("Mounts") or []:
        if (mount.get("Destination"), mount.get("Name")) == (copy.target, copy.volume):
            volume = engine.volume(copy.volume)
            labels = (volume.get("Labels") or {}) if volume is not None else {}
            return f"{copy.volume} {labels.get(VOLUME_TIME, '')}"
    return ""


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Have what ends a comparison be an error for a person.

    :raises EnvironmentFailure: the block ended by that
    """
    try:
        yield
    except Ended as error:
        raise EnvironmentFailure(
            f"the copy inside cannot be compared: {error}", "`sandboxd restart` starts it anew"
        ) from None
    except OSError as error:
        raise EnvironmentFailure(
            f"the copy inside cannot be compared: {(error.strerror or str(error)).lower()}",
            "correct that, then run the command again",
        ) from None
