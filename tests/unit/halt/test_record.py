from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.halt import record
from sandboxd.halt.points import What
from sandboxd.halt.put_back import Outcome
from sandboxd.halt.record import Ended, Entry, Halt, Owner, Reason
from sandboxd.halt.verdict import Action

ENTRIES = (
    Entry(".envrc", What.REPLACED, Outcome(".envrc", Action.PUT_BACK, ".envrc.halted")),
    Entry("sub", What.REMOVED),
    Entry("sub/.envrc", None, Outcome("sub/.envrc", Action.LEFT, problem="no space")),
)
HALT = Halt("/w", "c1", Owner.DAEMON, Reason.REPLACED, 5.0, ENTRIES)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path)}


def test_a_halt_is_read_as_it_was_written(environ: dict[str, str]) -> None:
    assert record.load(environ, "/w") is None
    record.save(environ, HALT)
    assert record.load(environ, "/w") == HALT
    assert record.open_halt(environ, "/w", "c1") == HALT


def test_another_container_and_an_ended_halt_go_on(environ: dict[str, str]) -> None:
    record.save(environ, HALT)
    assert record.open_halt(environ, "/w", "c2") is None
    record.end(environ, "/w", "c2", Ended.REMADE, 6.0)
    assert record.open_halt(environ, "/w", "c1") == HALT
    record.end(environ, "/w", "c1", Ended.REMADE, 6.0)
    assert record.open_halt(environ, "/w", "c1") is None
    ended = record.load(environ, "/w")
    assert ended is not None and (ended.ended, ended.ended_at) == (Ended.REMADE, 6.0)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"entries": [], "at": 1, "ended_at": 0}'])
def test_a_record_that_cannot_be_read_lets_nothing_go_on(
    environ: dict[str, str], tmp_path: Path, text: str
) -> None:
    record.save(environ, HALT)
    (path,) = (tmp_path / "sandboxd/halts").iterdir()
    path.write_text(text)
    with pytest.raises(EnvironmentFailure, match="not known whether the sandbox is halted"):
        record.open_halt(environ, "/w", "c1")


def test_who_needs_it_is_told_what_was_done_and_the_next_command() -> None:
    error = record.halted(HALT)
    assert "`.envrc`, `sub` were replaced or removed on the host" in error.message
    assert "it is `.envrc.halted`" in error.message
    assert "`sub/.envrc` may be from inside and could not be put aside: no space" in error.message
    assert error.hint.startswith("`sandboxd up --recreate`")
    assert "Rebuild Container" in record.halted(HALT, by_editor=True).hint


def test_what_nobody_watched_is_said() -> None:
    halt = HALT._replace(reason=Reason.UNWATCHED, entries=(Entry(".envrc", What.REPLACED),))
    assert "`.envrc` was replaced on the host" in record.describe(halt)
    assert "look at it before a tool on the host does" in record.describe(halt)


def test_a_config_that_was_edited_needs_no_more_than_a_start() -> None:
    config = Entry("sandboxd.toml", What.REPLACED, Outcome("sandboxd.toml", Action.LEFT))
    error = record.halted(HALT._replace(entries=(config,)))
    assert record.is_by_config(error.halt)
    assert error.hint.startswith("`sandboxd up` makes it anew")
    assert not record.is_by_config(HALT._replace(entries=(config, *ENTRIES)))
    below = config._replace(path="sub/sandboxd.toml")
    assert not record.is_by_config(HALT._replace(entries=(below,)))
