from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.halt import record, words
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
    assert record.load(environ, "/w", "c1") is None
    record.save(environ, HALT)
    assert record.load(environ, "/w", "c1") == HALT
    assert record.open_halt(environ, "/w", "c1") == HALT


def test_another_container_and_an_ended_halt_go_on(environ: dict[str, str]) -> None:
    record.save(environ, HALT)
    assert record.open_halt(environ, "/w", "c2") is None
    record.end(environ, "/w", "c2", Ended.REMADE, 6.0)
    assert record.open_halt(environ, "/w", "c1") == HALT
    record.end(environ, "/w", "c1", Ended.REMADE, 6.0)
    assert record.open_halt(environ, "/w", "c1") is None
    ended = record.load(environ, "/w", "c1")
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


def test_records_that_may_be_there_and_cannot_be_looked_at_let_nothing_go_on(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Their folder may not be entered; here it is none, as root may enter each."""
    record.save(environ, HALT)
    folder = tmp_path / "sandboxd/halts"
    shutil.rmtree(folder)
    assert record.open_halt(environ, "/w", "c1") is None and record.of_sandbox(environ, "/w") == ()
    folder.write_text("")
    for look in (
        lambda: record.open_halt(environ, "/w", "c1"),
        lambda: record.of_sandbox(environ, "/w"),
    ):
        with pytest.raises(
            record.Unreadable, match="not known which sandboxes are halted"
        ) as raised:
            look()
        assert raised.value.hint.endswith(f"`chmod 700 {folder}`")
    assert all(record.unreadable(environ, "/w", "c1"))


def test_who_needs_it_is_told_what_was_done_and_the_next_command() -> None:
    error = words.halted(HALT)
    assert "`.envrc`, `sub` were replaced or removed on the host" in error.message
    assert "it is `.envrc.halted`" in error.message
    assert "`sub/.envrc` may be from inside and could not be put aside: no space" in error.message
    assert error.hint.startswith("`sandboxd up --recreate`")
    assert "Rebuild Container" in words.halted(HALT, by_editor=True).hint


def test_what_nobody_watched_is_said() -> None:
    halt = HALT._replace(reason=Reason.UNWATCHED, entries=(Entry(".envrc", What.REPLACED),))
    # Nobody knows by whom.
    assert "`.envrc` was replaced, which took the mount away" in words.describe(halt)
    assert "look at it before a tool on the host does" in words.describe(halt)


def test_a_config_that_was_edited_needs_no_more_than_a_start() -> None:
    config = Entry("sandboxd.toml", What.REPLACED, Outcome("sandboxd.toml", Action.LEFT))
    error = words.halted(HALT._replace(entries=(config,)))
    assert words.is_by_config(error.halt)
    assert error.hint.startswith("`sandboxd up` makes it anew")
    assert not words.is_by_config(HALT._replace(entries=(config, *ENTRIES)))
    below = config._replace(path="sub/sandboxd.toml")
    assert not words.is_by_config(HALT._replace(entries=(below,)))


def test_each_container_has_a_halt_of_its_own(environ: dict[str, str]) -> None:
    second = HALT._replace(container="c2", at=7.0)
    record.save(environ, HALT)
    record.save(environ, second)
    record.save(environ, HALT._replace(sandbox="/w//login", container="c3"))
    assert record.of_sandbox(environ, "/w") == (HALT, second)
    assert record.end(environ, "/w", "c2", Ended.REMADE, 8.0) is not None
    assert record.open_halt(environ, "/w", "c2") is None
    assert record.open_halt(environ, "/w", "c1") == HALT


def test_of_those_that_ended_the_last_is_kept(environ: dict[str, str]) -> None:
    for number in range(4):
        record.save(environ, HALT._replace(container=f"c{number}", at=float(number)))
    for number in range(3):
        record.end(environ, "/w", f"c{number}", Ended.REMADE, 10.0)
    assert [halt.container for halt in record.of_sandbox(environ, "/w")] == ["c2", "c3"]


def as_older(environ: dict[str, str], halt: Halt) -> Path:
    """Write a halt as older versions did, which knew one for all containers of a sandbox."""
    record.save(environ, halt)
    (path,) = (Path(environ["XDG_STATE_HOME"]) / "sandboxd/halts").glob("*-*.json")
    return path.rename(path.with_name(path.name.partition("-")[0] + ".json"))


def test_a_halt_of_an_older_version_holds_until_its_own_end(environ: dict[str, str]) -> None:
    older = as_older(environ, HALT)
    second = HALT._replace(container="c2", at=7.0)
    record.save(environ, second)
    assert record.open_halt(environ, "/w", "c1") == HALT
    assert record.of_sandbox(environ, "/w") == (HALT, second)
    record.end(environ, "/w", "c2", Ended.REMADE, 8.0)
    assert record.open_halt(environ, "/w", "c1") == HALT
    record.end(environ, "/w", "c1", Ended.REMADE, 9.0)
    assert record.open_halt(environ, "/w", "c1") is None
    assert not older.exists()


def test_what_an_older_version_wrote_and_nobody_can_read_holds_all_but_those_known(
    environ: dict[str, str],
) -> None:
    as_older(environ, HALT).write_text("{")
    second = HALT._replace(container="c2")
    record.save(environ, second)
    assert record.open_halt(environ, "/w", "c2") == second
    with pytest.raises(EnvironmentFailure, match="not known whether the sandbox is halted"):
        record.open_halt(environ, "/w", "c1")
    record.end(environ, "/w", "c2", Ended.REMADE, 8.0)
    with pytest.raises(EnvironmentFailure, match="not known whether the sandbox is halted"):
        record.open_halt(environ, "/w", "c1")


def test_whoever_waits_for_a_halt_knows_the_container_alone(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    assert record.open_halt_of(environ, "c1") is None
    halt = Halt("/w", "c1", Owner.DAEMON, Reason.REPLACED, 1.0, ())
    record.save(environ, halt)
    assert record.open_halt_of(environ, "c1") == halt
    assert record.open_halt_of(environ, "c2") is None
    record.end(environ, "/w", "c1", Ended.REMADE, 2.0)
    assert record.open_halt_of(environ, "c1") is None
