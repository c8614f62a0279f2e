"""Lists the files of a workspace that go into a copy of it, whichever backend has the copy."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.review import original
from sandboxd.review.hide import in_git, words
from sandboxd.review.hide.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.plan.hiding import Hiding
    from sandboxd.review.original import Entry


class Surveyed(NamedTuple):
    """What goes into a copy, and what is hidden: each path with the reason, outermost folders alone.

    `unread` is how many files were not looked through for secrets, since they were too many.
    """

    entries: list[Entry]
    hidden: Mapping[str, str]
    unread: int


NOTHING = Surveyed([], {}, 0)


def in_words(workspace: str, surveyed: Surveyed) -> tuple[str, ...]:
    """Lines about what is hidden, and what of it git's objects show all the same."""
    lines = (
        words.of_hidden(surveyed.hidden, surveyed.unread),
        words.of_stored(in_git.stored(workspace, surveyed.hidden)),
    )
    return tuple(filter(None, lines))


def survey(
    workspace: str,
    hiding: Hiding,
    is_left: Callable[[str, bool], bool] = lambda _path, _is_folder: False,
) -> Surveyed:
    """List what goes into a copy of `workspace`, each folder before its content.

    :param is_left: whether a path is left out for another reason; its second argument is whether that is a folder
    :raises UsageError: a folder cannot be read, or folders are nested too deep
    """
    reader = Reader(workspace, hiding)

    def is_out(path: str, is_folder: bool) -> bool:
        return is_left(path, is_folder) or bool(reader.why(path, is_folder))

    entries = original.survey(workspace, is_out)
    if reader.has_second_names():
        # One that comes before the name by which the file is known to be hidden.
        entries = [
            each
            for each in entries
            if stat.S_ISDIR(each.status.st_mode) or not reader.why(each.path, False)
        ]
    return Surveyed(entries, reader.hidden, reader.unread)
