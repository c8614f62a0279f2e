"""Steps that are killed at every boundary, and steps that fail: finished, or put back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import files, runner
from sandboxd.setup.journal import Journal
from sandboxd.setup.step import Say, State, Step

ROOT = Path(__file__).parents[3]


class Write(files.FileStep):
    """A file step that can be told to fail."""

    def __init__(self, folder: Path, name: str, fails: bool = False) -> None:
        super().__init__(name, f"write {name}", str(folder / "sub" / name), f"new {name}".encode())
        self.fails = fails

    def do(self, say: Say) -> State:
        result = super().do(say)
        if self.fails:
            raise EnvironmentFailure("it broke", "try another")
        return result


def steps(folder: Path, fails: str = "") -> list[Step]:
    return [Write(folder, name, name == fails) for name in ("a", "b", "c")]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    folder = tmp_path / "machine"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "b").write_bytes(b"old b\r\n")
    (folder / "sub" / "b").chmod(0o640)
    return folder


def test_done_then_nothing_to_do_then_put_back(machine: Path, tmp_path: Path) -> None:
    before, messages = tree(machine), list[str]()
    journal = Journal(str(tmp_path / "state"))
    journal.start({"x": 1})
    assert runner.apply(steps(machine), journal, messages.append)
    assert tree(machine) == {f"sub/{n}": f"new {n}".encode() for n in "abc"}
    again = Journal(str(tmp_path / "state"))
    assert again.exists and not again.interrupted and again.options == {"x": 1}
    assert not runner.apply(steps(machine), again, messages.append)
    runner.roll_back(steps(machine), again, messages.append)
    assert tree(machine) == before
    assert (machine / "sub" / "b").stat().st_mode & 0o777 == 0o640
    assert not (tmp_path / "state").exists()


def test_what_was_there_already_is_not_undone(machine: Path, tmp_path: Path) -> None:
    (machine / "sub" / "a").write_bytes(b"new a")
    journal = Journal(str(tmp_path / "state"))
    journal.start({})
    runner.apply(steps(machine), journal, lambda _: None)
    runner.roll_back(steps(machine), journal, lambda _: None)
    assert tree(machine) == {"sub/a": b"new a", "sub/b": b"old b\r\n"}


def test_a_step_that_fails_puts_everything_back(machine: Path, tmp_path: Path) -> None:
    before = tree(machine)
    journal = Journal(str(tmp_path / "state"))
    journal.start({})
    with pytest.raises(EnvironmentFailure, match="it broke; everything was put back") as error:
        runner.apply(steps(machine, fails="c"), journal, lambda _: None)
    assert error.value.hint == "try another"
    assert tree(machine) == before and not (tmp_path / "state").exists()


# Runs the steps in a process of its own, which kills itself at the boundary with this number.
DRIVER = """
import os, signal, sys
from pathlib import Path
from tests.unit.setup.test_runner import steps
from sandboxd.setup import runner
from sandboxd.setup.journal import Journal
machine, state, action, when = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
count = 0
def boundary(event, step):
    global count
    count += 1
    if count == when:
        os.kill(os.getpid(), signal.SIGKILL)
journal = Journal(state)
journal.start({})
if action == "apply":
    runner.apply(steps(machine), journal, lambda _: None, boundary)
else:
    runner.roll_back(steps(machine), journal, lambda _: None, boundary)
"""


def drive(machine: Path, state: Path, action: str, when: int) -> int:
    return subprocess.run(
        [sys.executable, "-c", DRIVER, str(machine), str(state), action, str(when)],
        cwd=ROOT,
        check=False,
    ).returncode


@pytest.mark.parametrize("when", range(1, 10))
def test_killed_while_doing(machine: Path, tmp_path: Path, when: int) -> None:
    before, state = tree(machine), tmp_path / "state"
    assert drive(machine, state, "apply", when) == -signal.SIGKILL
    killed = Journal(str(state))
    assert killed.interrupted
    if when % 2:
        runner.roll_back(steps(machine), killed, lambda _: None)
        assert tree(machine) == before
    else:
        runner.apply(steps(machine), killed, lambda _: None)
        assert tree(machine) == {f"sub/{n}": f"new {n}".encode() for n in "abc"}
        runner.roll_back(steps(machine), Journal(str(state)), lambda _: None)
        assert tree(machine) == before


@pytest.mark.parametrize("when", range(1, 7))
def test_killed_while_undoing(machine: Path, tmp_path: Path, when: int) -> None:
    before, state = tree(machine), tmp_path / "state"
    assert drive(machine, state, "apply", 0) == 0
    assert drive(machine, state, "roll back", when) == -signal.SIGKILL
    killed = Journal(str(state))
    assert killed.undoing and killed.interrupted
    runner.roll_back(steps(machine), killed, lambda _: None)
    assert tree(machine) == before


def test_a_line_that_was_cut_off_never_happened(machine: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    journal = Journal(str(state))
    journal.start({})
    journal.begin("a", {"path": "x"})
    with (state / "journal.jsonl").open("a") as file:
        file.write('{"done": "a", "resu')
    again = Journal(str(state))
    assert "a" in again.begun and "a" not in again.results
    again.record_result("a", {"y": 2})
    lines = (state / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines][-1] == {"done": "a", "result": {"y": 2}}
    assert Journal(str(state)).results == {"a": {"y": 2}}


def test_a_file_half_written_by_a_killed_run_goes(machine: Path) -> None:
    step = Write(machine, "d")
    state = step.before()
    (machine / "sub" / ".d.sandboxd-new").write_text("half")
    step.do(lambda _: None)
    assert sorted(os.listdir(machine / "sub")) == ["b", "d"]
    (machine / "sub" / ".d.sandboxd-new").write_text("half")
    step.undo(state, lambda _: None)
    assert os.listdir(machine / "sub") == ["b"]
