"""Two folders of this machine, and what keeps them the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sandboxd.sync.flows import Policy
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import Report, keep_the_same
from sandboxd.sync.session import Pair


def clock() -> float:
    """The day's clock of what is retained: it stands."""
    return 1_000_000_000


class Folders:
    """`host` and `inside` below `base`, with all that is ours beside them."""

    def __init__(self, base: Path, policy: Policy | None = None) -> None:
        self.base, self.policy = base, policy or Policy()
        self.host, self.inside = base / "host", base / "inside"
        self.host.mkdir(exist_ok=True)
        self.inside.mkdir(exist_ok=True)
        self.retention = Retention(str(base / "own" / "host"), lambda: clock())
        self.retention_inside = Retention(str(base / "own" / "inside"), lambda: clock())
        self._sides = (
            LocalSide(str(self.host), self.retention, is_host=True),
            LocalSide(str(self.inside), self.retention_inside, is_host=False),
        )
        self.journal = Journal(str(base / "own" / "journal"))

    def pair(self) -> Pair:
        return Pair(
            *self._sides,
            self.journal,
            self.policy,
            (self.retention, self.retention_inside),
        )

    def keep(self, between: Callable[[], None] = lambda: None) -> Report:
        return keep_the_same(*self._sides, self.journal, self.policy, between=between)

    def retained(self) -> list[str]:
        """What the host's files held that were removed or overwritten."""
        records = self.retention.records()
        return [Path(self.retention.file(record)).read_text() for record in records]


def texts(folder: Path) -> dict[str, str]:
    """The files and links below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}"
        if path.is_symlink()
        else path.read_text()
        for path in paths
    }


def once(act: Callable[[], object]) -> Callable[[], None]:
    """`act`, the first time that it is called."""
    left = [act]

    def run() -> None:
        if left:
            left.pop()()

    return run
