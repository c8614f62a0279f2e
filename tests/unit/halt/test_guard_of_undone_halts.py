"""A halt that somebody undid by the engine, so that what runs inside writes until it is halted again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.halt.record import Owner, Reason
from sandboxd.observe import pins
from sandboxd.observe.pin import Pin, State, Witness
from tests.patience import eventually
from tests.unit.halt.played import PlayedEngine, guard_of, replace
from tests.unit.halt.test_guard import environ, workspace

__all__ = ["environ", "workspace"]


def test_what_a_halt_put_in_order_and_changed_once_it_was_undone_is_put_aside_again(
    workspace: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by `docker unpause` under gVisor, where what runs inside writes until it is halted again."""
    first = guard_of(PlayedEngine(), workspace)
    replace(workspace / ".envrc", "new")
    replace(workspace / "sub/.envrc", "new")
    halt = first.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None and (workspace / ".envrc").read_text() == "host"
    eventually(
        lambda: (workspace / ".envrc").write_text("evil") and _ctime(workspace) > halt.at * 1e9
    )
    lost = (
        Pin(path, f"/w/{path}", "", State.LOST, Witness.FIRST_PROCESS)
        for path in (".envrc", "sub/.envrc")
    )
    again = guard_of(PlayedEngine(), workspace)
    with monkeypatch.context() as patched:
        patched.setattr(pins, "look", lambda *_, lost=tuple(lost): lost)
        assert again.forget_lost_before(halt)
    assert again.halt(environ, Owner.DAEMON, Reason.UNWATCHED) is not None
    assert not (workspace / ".envrc").exists()
    assert (workspace / ".envrc.halted-2").read_text() == "evil"
    assert (workspace / "sub/.envrc").read_text() == "sub", "nobody wrote it since"


def _ctime(workspace: Path) -> int:
    return os.lstat(workspace / ".envrc").st_ctime_ns
