"""What ends or holds up a session of a copy is seen in `status`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.daemon import copies
from sandboxd.daemon.copies import _Copy
from sandboxd.daemon.hosts import Hosts
from sandboxd.sync import last_state, record
from sandboxd.sync.compare import Comparison
from sandboxd.sync.engine import Note, Say, Show
from sandboxd.sync.place import place_of
from sandboxd.sync.run import Report, Rest
from sandboxd.sync.steps import Side
from sandboxd.sync.stops import Reason, Stop
from tests.patience import eventually

REPLACED = Report(Rest.STOPPED, Comparison(stop=Stop(Reason.REPLACED, Side.INSIDE)))


class Kept:
    """One copy whose sessions end by `errors`, one after the other; the last one goes on until its end."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> None:
        self.errors, self.pauses = list(errors), list[float]()
        environ = {"XDG_STATE_HOME": str(base)}
        hosts = SimpleNamespace(environ=lambda _key: environ, engine=lambda _key: None)
        self.place = place_of(environ, "/w")
        kept = self

        def keep(copy: Any) -> None:
            kept.pauses.append(copy._pause)
            if kept.errors:
                raise kept.errors.pop(0)
            copy._is_ended.wait()

        monkeypatch.setattr(copies, "_FIRST_PAUSE", 0.001)
        monkeypatch.setattr(_Copy, "_keep_once", keep)
        copy = record.Record("c", "/w", "")
        self.copy = _Copy(cast("Hosts", hosts), "/w", cast("Any", None), copy, "1")

    @property
    def problem(self) -> str:
        state = last_state.read(self.place)
        return state.problem if state is not None else ""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    kept = Kept(tmp_path, monkeypatch, ValueError("odd"), ValueError("odd"), ValueError("odd"))
    yield kept
    kept.copy.end()
    kept.copy.join(10)


def test_an_unexpected_error_is_seen_and_its_pauses_grow(kept: Kept) -> None:
    eventually(lambda: len(kept.pauses) == 4)
    assert "a fault of sandboxd's" in kept.problem and "odd" in kept.problem
    assert kept.pauses == [0.001, 0.002, 0.004, 0.008]
    # A comparison that came to its end begins them anew.
    kept.copy._tell(Show(Report(Rest.SAME, Comparison())))
    assert kept.copy._pause == 0.001
    assert kept.problem == ""


def test_what_happened_hides_no_next_step(kept: Kept) -> None:
    eventually(lambda: len(kept.pauses) == 4)
    kept.copy._tell(Show(REPLACED))
    kept.copy._tell(Note("the machine slept: it is looked at as a whole"))
    assert "`sandboxd down --discard`" in kept.problem
    kept.copy._tell(Say("no space"))
    assert kept.problem == "no space"
