"""The guard of a container whose workspace gets a control file from git on the host."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.halt import record, words
from sandboxd.halt.points import What
from sandboxd.halt.record import Owner, Reason
from sandboxd.plan import gitlinks
from tests.unit.halt.played import PlayedEngine
from tests.unit.halt.test_guard import guard_of_repository
from tests.unit.plan.test_entrances import make
from tests.unit.plan.test_git_control import git


@pytest.mark.parametrize("written", ["", "evil"])
def test_a_control_file_that_git_brings_back_halts(tmp_path: Path, written: str) -> None:
    shared, environ = make(tmp_path / "shared"), {"XDG_STATE_HOME": str(tmp_path / "state")}
    (shared / ".envrc").write_text("host")
    git(shared, "add", ".envrc")
    (shared / ".envrc").unlink()
    engine = PlayedEngine()
    guard = guard_of_repository(engine, shared)
    git(shared, "checkout", ".envrc")
    assert [each.what for each in guard.lost()] == [What.TRACKED]
    if written:
        engine.while_pausing = lambda: (shared / ".envrc").write_text(written)
    halt = guard.halt(environ, Owner.DAEMON, Reason.REPLACED)
    assert halt is not None
    text = words.describe(halt)
    assert text.startswith("`.envrc`, which git on the host tracks")
    if written:
        assert not (shared / ".envrc").exists()
        assert "`mv .envrc.halted .envrc` takes it if it is yours" in text
    else:
        assert (shared / ".envrc").read_text() == "host"
        assert record.load(environ, str(shared), "c1") == halt


def test_a_large_index_is_read_once_however_often_something_inside_wakes_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = make(tmp_path / "app2")
    (repository / "main.py").write_text("")
    git(repository, "add", "main.py")
    guard = guard_of_repository(PlayedEngine(), repository)
    (repository / ".tool-versions").write_text("x")
    assert not guard.has_lost()
    monkeypatch.setattr(gitlinks, "_read", lambda _path: pytest.fail("it is read again"))
    assert not guard.has_lost()
