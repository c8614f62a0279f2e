"""A folder of the host and one behind a reporter, kept the same."""

from __future__ import annotations

from pathlib import Path

from sandboxd.sync import remote
from sandboxd.sync.engine import Event
from sandboxd.sync.flows import Policy
from sandboxd.sync.remote import RemoteSide
from sandboxd.sync.run import Report, keep_the_same
from sandboxd.sync.state import Root
from tests.unit.sync.pair import Folders, texts
from tests.unit.sync.playing import PlayedStream

ROOT = Root(7, 7)


class Kept:
    """A folder of the host and one behind a reporter."""

    def __init__(self, base: Path, policy: Policy | None = None) -> None:
        self.folders = Folders(base, policy)
        self.host, self.inside = self.folders.host, self.folders.inside
        self.events: list[Event] = []
        self.stream: remote.Stream = PlayedStream(self.inside)
        self.side = RemoteSide(self.stream, ROOT, self.events.append)

    def keep(self, **more: object) -> Report:
        pair = self.folders.pair()
        return keep_the_same(pair.host, self.side, pair.journal, self.folders.policy, **more)  # type: ignore[arg-type]

    def is_same(self) -> bool:
        return texts(self.host) == texts(self.inside)
