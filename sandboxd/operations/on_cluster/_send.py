"""Copies a workspace into a Pod, where the sandbox works on this private copy."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.exchange import copied_git
from sandboxd.lint import gitignore
from sandboxd.operations.on_cluster._deliver import Delivery
from sandboxd.plan.git_ignore_file import ignore_file
from sandboxd.review import original, refs
from sandboxd.review.hide import copied

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.lint.gitignore import Ignore
    from sandboxd.plan.hiding import Hiding
    from sandboxd.plan.plan import Plan
    from sandboxd.review.original import Entry, Manifest

_MOST_NAMED = 1000


class Surveyed(NamedTuple):
    """The files of a workspace to send, and the names of those that stay because git ignores them.

    `tree` also has what is hidden.
    """

    entries: list[Entry]
    left: tuple[str, ...]
    tree: copied.Surveyed = copied.NOTHING


class Sent(NamedTuple):
    """The result of the copy: the numbers of files and bytes, and in `left` the names that stayed because git ignores
    them.
    """

    files: int
    size: int
    left: tuple[str, ...]
    started: int
    """When the copy began, in nanoseconds since 1970."""
    manifest: Manifest
    head: tuple[str, str]
    """The name of the branch that was checked out, and the id of its commit."""
    hidden: tuple[str, ...] = ()
    """Lines about what stayed because it is hidden."""


def survey(target: Target, hiding: Hiding) -> Surveyed:
    """List the files of the workspace of `target` to send.

    What git ignores is left out: tools can make it again, or it is secret. So is what `hiding` hides.

    :raises UsageError: the workspace cannot be read
    """
    ignored = _Ignored(target)
    tree = copied.survey(target.workspace, hiding, ignored.is_left)
    return Surveyed(tree.entries, tuple(ignored.left), tree)


def require_room(target: Target, room: int, plan: Plan) -> None:
    """Refuse a workspace that does not fit into its volume.

    :param room: the size of the volume in bytes
    :raises UsageError: the workspace is larger
    """
    size = original.room_of(survey(target, plan.hiding).entries)
    if size > room:
        raise UsageError(
            f"the workspace has {size / 1e9:.2f} GB, and the volume of profile `{plan.profile}` has {room / 1e9:.2f} GB",
            "leave large files out by `.gitignore`; a clone with less history is smaller: `git clone --depth 1`",
        )


def send(target: Target, uid: str, hiding: Hiding, say: Callable[[str], None]) -> Sent:
    """Copy the workspace into the Pod `uid` of `target`, which does not have it yet.

    :raises EnvironmentFailure: the Pod does not accept it
    """
    started, head = time.time_ns(), refs.head(target.workspace)
    surveyed = survey(target, hiding)
    manifest = original.Manifest({}, {}, set())
    delivery = Delivery(target, uid, manifest, say)
    total = sum(each.status.st_size for each in surveyed.entries)
    parcels = original.parcels(target.workspace, surveyed.entries, edit_of=copied_git.edit_of)
    delivery.send(parcels, total)
    hidden = copied.in_words(target.workspace, surveyed.tree)
    left = surveyed.left
    return Sent(delivery.files, delivery.size, left, started, manifest, head, hidden)


class _Ignored:
    """The paths that git ignores in a workspace and does not track, by the user's own patterns, too."""

    def __init__(self, target: Target) -> None:
        self._workspace = target.workspace
        of_user = ignore_file(target.workspace, target.environ)
        patterns = gitignore.for_folder(target.workspace, of_user)
        self._levels: dict[str, Ignore | None] = {"": patterns}
        self.left: list[str] = []

    def is_left(self, path: str, is_folder: bool) -> bool:
        """Whether a path of the workspace is not sent to the Pod."""
        folder = os.path.dirname(path)
        ignore = self._levels.get(folder)
        if ignore is None or path == ".git" or path.startswith(".git/"):
            return False
        full = os.path.join(self._workspace, path)
        is_ignored = ignore.ignores(full, is_folder, as_git=True)
        if is_ignored and not ignore.tracks(full, is_folder):
            if len(self.left) < _MOST_NAMED:
                self.left.append(path)
            return True
        if is_folder:
            self._levels[path] = ignore.whole(full) if is_ignored else ignore.below(full)
        return False
