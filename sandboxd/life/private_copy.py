"""Sends the private copy of a workspace into a container, without what is hidden, and checks that it is complete.

The original is not mounted: what is hidden, and what the host makes later, could be read there. Git's config and
reflogs go without what may be a token (`exchange.copied_git`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.engine import failures, timeline
from sandboxd.engine.client import Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.engine.payload import programs
from sandboxd.exchange import copied_git
from sandboxd.life import lasting
from sandboxd.plan.layout import MARK
from sandboxd.plan.linked_worktree import linked_worktree
from sandboxd.plan.mounts import target_folder
from sandboxd.review import arrival, copies, host_times, original, sent
from sandboxd.review.hide import copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandboxd.engine.client import Engine
    from sandboxd.plan.linked_worktree import LinkedWorktree
    from sandboxd.plan.plan import Plan
    from sandboxd.review.original import Edit, Parcel

_SECONDS = 300.0
"""The time limit for one chunk."""
_MOST_OUTPUT = 2000

# Of a linked work tree's repository: what is the work tree's own comes from its own folder; hooks, submodules and other
# work trees stay behind.
_NOT_OF_COMMON = frozenset({"worktrees", "hooks", "modules", "HEAD", "index", "config.worktree", "commondir"})  # fmt: skip
_OF_WORKTREE = frozenset({"HEAD", "index", "ORIG_HEAD", "logs", "logs/HEAD"})


def make(engine: Engine, container: str, plan: Plan, progress: Callable[[str], None]) -> None:
    """Send the workspace into the container, if `plan` works on a private copy and no complete one exists.

    :raises CannotStart: the workspace could not be copied; the container cannot be used
    :raises UsageError: a part of the workspace cannot be read
    :raises EnvironmentFailure: it cannot be recorded what was sent
    """
    volume = lasting.copy_of(engine, plan)
    if not plan.prepare or (volume is not None and copies.whole_since(volume)):
        return
    copy = copies.of_container(engine, engine.inspect(container))
    host_times.note(plan.sandbox, copy, plan.workspace)
    with timeline.span("copy", "copy the workspace"):
        surveyed, listed = _send(engine, container, plan)
    sent.note(plan.sandbox, copy, sent.Sent(listed, surveyed.hidden))
    if volume is not None:
        copies.note_whole(volume)
    else:
        _run(engine, container, ["sh", "-c", ': > "$1"', "sh", MARK], b"")
    for line in copied.in_words(plan.workspace, surveyed):
        progress(line)


def _send(
    engine: Engine, container: str, plan: Plan
) -> tuple[copied.Surveyed, dict[str, original.Fields]]:
    target = target_folder(plan.workspace)
    is_linked = plan.repository is not None
    surveyed = copied.survey(
        plan.workspace, plan.hiding, lambda path, _: is_linked and path == ".git"
    )
    manifest = original.Manifest({}, {}, set())

    def take(parcels: Iterable[Parcel], folder: str) -> None:
        for parcel in parcels:
            command, data = arrival.command(parcel, folder)
            if command:
                _run(engine, container, command, data)
            if isinstance(parcel, original.Archive):
                manifest.add(parcel.noted)
            elif isinstance(parcel, original.Whole):
                manifest.add((parcel.noted,))

    take(original.parcels(plan.workspace, surveyed.entries, edit_of=copied_git.edit_of), target)
    listed = dict(manifest.listed)
    if plan.repository is not None:
        linked = linked_worktree(plan.workspace)
        if linked is None:
            raise failures.CannotStart(
                "the folder became another one while it was copied", "run the command again"
            )
        _run(engine, container, ["mkdir", f"{target}/.git"], b"")
        _send_repository(linked, f"{target}/.git", take)
    return surveyed, listed


def _send_repository(
    linked: LinkedWorktree, folder: str, take: Callable[[Iterable[Parcel], str], None]
) -> None:
    """Send the repository of a linked work tree as the copy's own, with the head and the index of the work tree."""

    def is_left(path: str, _is_folder: bool) -> bool:
        top = path.partition("/")[0]
        return top in _NOT_OF_COMMON or top.endswith("_HEAD") or path == "logs/HEAD"

    own = os.path.join(linked.common, "worktrees", linked.name)
    for root, left in ((linked.common, is_left), (own, lambda path, _: path not in _OF_WORKTREE)):
        entries = original.survey(root, left)
        take(original.parcels(root, entries, edit_of=_edit_of), folder)


def _edit_of(path: str) -> Edit | None:
    return copied_git.edit_of(f".git/{path}")


def _run(engine: Engine, container: str, command: list[str], data: bytes) -> None:
    """:raises CannotStart: the command fails"""
    output = bytearray()

    def hear(_: int, piece: bytes) -> None:
        output.extend(piece[: max(0, _MOST_OUTPUT - len(output))])

    try:
        code = programs.run(engine, container, Exec(command), data, _SECONDS, hear)
        why = " ".join(output.decode("utf-8", "replace").split())[:300] or f"exit code {code}"
    except TimeoutError:
        code, why = 1, f"it does not take a part of it within {_SECONDS:.0f} s"
    if code:
        raise failures.CannotStart(
            f"the workspace could not be copied into the sandbox: {why}",
            "`sandboxd explain-plan` shows how large a copy may be; the image needs `sh`, `tar` and `dd`",
        )


def is_whole(engine: Engine, container: str, plan: Plan) -> bool:
    """Whether the private copy in a running container is complete; True if `plan` has none.

    For a copy in memory, a shell in the container is asked.

    :raises EnvironmentFailure: the container does not answer
    """
    if not plan.prepare:
        return True
    volume = lasting.copy_of(engine, plan)
    if volume is not None:
        return copies.whole_since(volume) is not None
    code, _ = run_quietly(engine, container, Exec(["sh", "-c", '[ -e "$1" ]', "sh", MARK]))
    return code == 0
