"""A session whose reporter inside lies, floods and has both folders change under way: its copy may be spoilt, the host's not.

After every run: nothing that acts on the host came from inside, no link leads out, nothing outside was touched, and what
the user wrote here is here or among what is kept. `SANDBOXD_STEPS` sets the number of steps of the long siege,
`SANDBOXD_SEED` which one it is.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from sandboxd.sync.engine import SWEEP_SECONDS, Phase
from sandboxd.sync.inside import Reporter
from sandboxd.sync.remote import Ended, RemoteSide
from sandboxd.sync.stamps import Stamps
from sandboxd.sync.state import Root
from tests.unit.sync.actors import is_file, paths_below
from tests.unit.sync.liar import Liar
from tests.unit.sync.playing import PlayedStream
from tests.unit.sync.test_walk import Walk, compare_with_whole_looks

STEPS = int(os.environ.get("SANDBOXD_STEPS", "2000"))
SEED = os.environ.get("SANDBOXD_SEED", "1")


class Siege(Walk):
    """A walk whose side inside is told by a liar."""

    ends = 0
    runs = 0

    def _inside(self) -> RemoteSide:
        status = self.inside.stat()

        def make(root: int, watches: object, write: object) -> Reporter:
            return Liar(root, watches, write, self.random, self.race)  # type: ignore[arg-type]

        stream = PlayedStream(self.inside, make)
        self._sides.callback(stream.close)
        root = Root(status.st_dev, status.st_ino)
        stamps = Stamps(str(self.journal.parent / "stamps-inside"))
        return RemoteSide(stream, root, lambda event: self.session.put(event), stamps=stamps)

    def race(self) -> None:
        """Somebody acts while a run is under way."""
        self.random.choice(self.actors).act()

    def destroy(self, path: Path) -> None:
        # What inside lets go of is still the user's.
        if path.is_relative_to(self.host):
            super().destroy(path)

    def turn(self, seconds: float) -> None:
        try:
            super().turn(seconds)
        except Ended:
            self.ends += 1
            self._open()
        self.runs += 1
        if self.session.phase is Phase.ASKING:
            self.answer()

    def look_for_losses(self) -> None:
        texts = {path.read_text() for path in paths_below(self.host) if is_file(path)}
        for text in self.live:
            if text.startswith("host:"):
                assert text in texts or self._is_retained(text), f"{text} is lost"
        self.live &= texts


@pytest.mark.parametrize("steps", [150, STEPS], ids=["short", "long"])
def test_a_reporter_that_means_ill_spoils_its_own_copy_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    compare_with_whole_looks(monkeypatch)
    siege = Siege(tmp_path, random.Random(SEED))
    for number in range(steps):
        siege.act()
        if siege.random.random() < 0.5:
            siege.turn(siege.random.choice((0.02, 2.0, SWEEP_SECONDS)))
            siege.look_for_losses()
            siege.look_at_host()
        if number % 50 == 49:
            siege._open()
    siege.close()
    # It was a siege: files came out, and connections ended.
    assert siege.runs > steps / 4
    assert steps < 1000 or siege.ends > 3
