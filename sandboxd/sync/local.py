"""A side that is a folder on this machine."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.exchange.copying import owner_of
from sandboxd.files import reading
from sandboxd.plan import beneath
from sandboxd.review import links
from sandboxd.sync.apply import Skip, Source, Target
from sandboxd.sync.inside import boot_id
from sandboxd.sync.names import Reading, reading_of
from sandboxd.sync.retention import Retention
from sandboxd.sync.scan import Limits, scan
from sandboxd.sync.stamps import Stamp, Stamps, Work, of_entries
from sandboxd.sync.state import Content, Root, Snapshot
from sandboxd.sync.steps import Act, Step
from sandboxd.sync.stops import Removed

_CHUNK = 1 << 20


class LocalSide:
    """The folder at `path`; files that are removed in it go to `retention`.

    :param is_host: whether it is the host's side, in which links from inside are checked before they are created
    :param stamps: where a later start finds what its files held; None for nowhere
    """

    def __init__(
        self, path: str, retention: Retention, *, is_host: bool, stamps: Stamps | None = None
    ) -> None:
        self._stamps, self._work = stamps, Work()
        self._path, self._retention, self._is_host = path, retention, is_host
        self._last: Snapshot | None = None
        self._products: dict[str, Content] = {}
        """What was written at paths that had nothing: who made it on the other side may remove it again."""

    def scan(self, excludes: Callable[[str, bool], bool], limits: Limits | None = None) -> Snapshot:
        """Return its present state.

        :raises FileNotFoundError: the folder does not exist
        :raises OSError: it cannot be read
        """
        with self._opened() as root:
            status = os.fstat(root)
            identity = Root(status.st_dev, status.st_ino)
            is_new = self._last is None or self._last.root != identity
            stamps = self._load(identity, boot_id()) if is_new else {}
            self._last = scan(root, excludes, self._last, limits, stamps, self._work)
        return self._last

    def save_stamps(self) -> None:
        """Have a later start read those files alone that changed since the last look, where it is worth that."""
        last, stamps = self._last, self._stamps
        if last is None or stamps is None or not self._work.is_worth_saving(len(last.entries)):
            return
        stamps.save(of_entries(last.entries.items(), lambda _path: last.began))
        self._work.cost = 0

    def _load(self, root: Root, boot: bytes) -> Mapping[str, Stamp]:
        return {} if self._stamps is None else self._stamps.load(root, root, boot)

    def folders(self) -> dict[str, int]:
        """Paths and inodes of its folders at the last scan, '' for itself; {} before the first scan."""
        if self._last is None:
            return {}
        entries = self._last.entries.items()
        below = {path: entry.inode for path, entry in entries if entry.is_folder}
        return {"": self._last.root.inode, **below}

    def reading(self) -> Reading:
        """How its file system compares names.

        :raises SandboxdError: the folder does not exist
        :raises OSError: it cannot be read
        """
        with beneath.open_folder(self._path) as root:
            return reading_of(root)

    def why_no_link(self, path: str, target: str) -> str:
        """The reason why a link at `path` to `target` would lead out of the folder at present; '' if it would not."""
        with beneath.open_folder(self._path) as root:
            return links.reason_against(root, path, os.fsencode(target))

    def apply(self, steps: Iterable[Step], source: Source) -> tuple[Skip, ...]:
        """Do `steps` with content from `source`; return those that were not done.

        :raises SandboxdError: the folder does not exist
        """
        with beneath.open_folder(self._path) as root:
            every = tuple(steps)
            skips = self._target(root).apply(every, source)
        self._note_made(every, skips)
        return skips

    def removed(self) -> Removed:
        """What the other side removed or overwrote here, but for its own, since `agree` was called."""
        return self._retention.removed()

    def agree(self) -> None:
        """Count nothing any more of what was removed so far, since the user was asked.

        :raises SandboxdError: the list cannot be written
        """
        self._retention.agree()

    def _note_made(self, steps: Iterable[Step], skips: Iterable[Skip]) -> None:
        undone = {skip.step.path for skip in skips}
        for step in steps:
            if step.path in undone or step.act is Act.ASIDE:
                continue
            if step.after is not None and (step.before is None or self._is_made(step)):
                self._products[step.path] = step.after
            else:
                self._products.pop(step.path, None)

    def _is_made(self, step: Step) -> bool:
        """Whether what a step finds is what was written there for the other side, and nobody changed it here."""
        product = self._products.get(step.path)
        return step.before is not None and product == step.before.content

    def recover(self, leftovers: Iterable[str]) -> None:
        """Move what a killed run left at the paths `leftovers` into the retention folder."""
        with beneath.open_folder(self._path) as root:
            target = self._target(root)
            for path in leftovers:
                with contextlib.suppress(OSError, SandboxdError):
                    target.recover(path)

    def source(self) -> Source:
        """The functions with which the other side reads from it."""
        return Source(self._read, self._is_gone)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        root = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield root
        finally:
            os.close(root)

    def _target(self, root: int) -> Target:
        def why_no_link(path: str, target: str) -> str:
            return links.reason_against(root, path, os.fsencode(target)) if self._is_host else ""

        last = self._last
        is_settled = (lambda _entry: False) if last is None else last.is_settled
        return Target(
            root, self._retention, owner_of(self._path), why_no_link, is_settled, self._is_made
        )

    def _read(self, path: str) -> Iterator[bytes]:
        """The bytes of the regular file at `path`, as many as it had when it was opened.

        :raises OSError: it is not there
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        with (
            beneath.open_folder(self._path) as root,
            beneath.parent_of(root, path, create=False) as folder,
        ):
            descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
        with reading(descriptor) as file:
            status = os.fstat(descriptor)
            left = status.st_size if stat.S_ISREG(status.st_mode) else 0
            while left > 0 and (chunk := file.read(min(_CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def _is_gone(self, path: str) -> bool:
        try:
            with (
                beneath.open_folder(self._path) as root,
                beneath.parent_of(root, path, create=False) as folder,
            ):
                os.lstat(os.path.basename(path), dir_fd=folder)
        except FileNotFoundError:
            # Of its own folder that is no answer.
            return os.path.isdir(self._path)
        except SandboxdError:
            return os.path.isdir(self._path)
        return False
