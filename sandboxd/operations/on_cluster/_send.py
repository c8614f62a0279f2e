"""The workspace on its way to a Pod, as a private copy."""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.checking import gitignore
from sandboxd.cluster import running
from sandboxd.errors import EnvironmentFailure
from sandboxd.review import original

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from sandboxd.checking.gitignore import Ignore
    from sandboxd.operations.on_cluster.target import Target

_PIECE = 256 << 10
_SECONDS = 1800.0
_MOST_NAMED = 1000


class Sent(NamedTuple):
    """How many files and bytes went, the names that git ignores and that stayed here, and when it began."""

    files: int
    size: int
    left: tuple[str, ...]
    started: int
    """In nanoseconds since 1970."""
    listed: original.Listed


def send(target: Target, say: Callable[[str], None]) -> Sent:
    """Copy the workspace into the Pod of `target`, which has none yet.

    What git ignores stays here: it is made by tools, or it is a secret.

    :raises EnvironmentFailure: the Pod does not take it
    """
    ignored = _Ignored(target.workspace)
    started = time.time_ns()
    with tempfile.TemporaryFile() as file:
        packed = original.pack(target.workspace, ignored.is_left, file)
        output = bytearray()

        def hear(_: int, piece: bytes) -> None:
            output.extend(piece[: max(0, 2000 - len(output))])

        command = ["tar", "-xpf", "-", "-C", target.folder]
        try:
            code = running.run(
                target.cluster,
                target.pod,
                command,
                _pieces(packed.file, packed.size, say),
                _SECONDS,
                hear,
                packed.size,
            )
        except TimeoutError:
            raise EnvironmentFailure(
                f"the workspace was not copied to the cluster within {_SECONDS:g} s",
                "leave large files out by `.gitignore`, then run it again",
            ) from None
    if code:
        words = " ".join(output.decode("utf-8", "replace").split())[:300]
        raise EnvironmentFailure(
            f"the workspace could not be copied into the Pod: {words or f'exit code {code}'}",
            "the image needs `sh`, `head` and `tar`; the volume has the size of the profile's copy",
        )
    return Sent(packed.files, packed.size, tuple(ignored.left), started, packed.listed)


def _pieces(file: IO[bytes], size: int, say: Callable[[str], None]) -> Iterator[bytes]:
    done = 0
    while piece := file.read(min(_PIECE, size - done)):
        done += len(piece)
        say(f"copying the workspace: {done * 100 // size} % of {size / 1e6:.1f} MB")
        yield piece


class _Ignored:
    """What git ignores in a workspace and does not track."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._levels: dict[str, Ignore | None] = {"": gitignore.for_folder(workspace)}
        self.left: list[str] = []

    def is_left(self, path: str, is_folder: bool) -> bool:
        """Whether the path below the workspace stays here."""
        folder = os.path.dirname(path)
        ignore = self._levels.get(folder)
        if ignore is None or path == ".git" or path.startswith(".git/"):
            return False
        full = os.path.join(self._workspace, path)
        is_ignored = ignore.ignores(full, is_folder)
        if is_ignored and not ignore.tracks(full, is_folder):
            if len(self.left) < _MOST_NAMED:
                self.left.append(path)
            return True
        if is_folder:
            self._levels[path] = ignore.whole(full) if is_ignored else ignore.below(full)
        return False
