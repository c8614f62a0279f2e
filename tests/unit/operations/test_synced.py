"""`review` of a copy whose sandbox is stopped: what was known at its end, and no answer to it."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.errors import UsageError
from sandboxd.life import find
from sandboxd.model.labels import PROJECT
from sandboxd.operations import synced
from sandboxd.operations.request import Request
from sandboxd.sync import last_state, record
from sandboxd.sync.place import place_of


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environ = {"XDG_STATE_HOME": str(tmp_path / "state")}
    container = SimpleNamespace(id="c", state="exited", labels={PROJECT: str(tmp_path)})
    monkeypatch.setattr(find, "project_containers", lambda *_words: [container])
    place = place_of(environ, str(tmp_path))
    record.write(place, record.Record("c", "/w", "volume"))
    last_state.write(place, last_state.LastState("c", time.time() - 7300, "held up"))
    return environ


def asked(environ: dict[str, str], folder: Path, **options: object) -> synced.Settled:
    engine = cast("Engine", SimpleNamespace(interruptible=lambda *_: None))
    every = {"name": "", "removals": 0, "restores": False, **options}
    return synced.serve(Request(str(folder), environ, every, lambda: engine))


def test_the_last_state_is_told_with_its_age(environ: dict[str, str], tmp_path: Path) -> None:
    settled = asked(environ, tmp_path)
    assert settled.state is not None and settled.problem == "held up"
    assert settled.age == "the sandbox is exited; both sides were compared 2 h ago"


@pytest.mark.parametrize("answer", [{"removals": 3}, {"restores": True}])
def test_it_takes_no_answer(
    environ: dict[str, str], tmp_path: Path, answer: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="is exited") as failure:
        asked(environ, tmp_path, **answer)
    assert failure.value.hint == "`sandboxd up` starts it"
