"""What `status` says of a copy, and from when it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.sync import last_state, record, words
from sandboxd.sync.place import place_of

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (NOW - 60, ()),
        (NOW - 7200, ("last compared 2 h ago: `sandboxd review` compares both sides now",)),
        (0.0, ("never compared: `sandboxd review` compares both sides now",)),
    ],
)
def test_an_old_state_says_from_when_it_is(tmp_path: Path, at: float, said: tuple[str]) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    place = place_of(environ, "/w")
    record.write(place, record.Record("c", "/w", "", (), "/w"))
    last_state.write(place, last_state.LastState("c", at))
    assert words.lines(environ, "/w", lambda: NOW) == said
