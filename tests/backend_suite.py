"""What holds of every backend: one suite, run over each by a class of its own."""

from __future__ import annotations

import functools
import json
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record
from sandboxd.backends.backend import Ability, Backend, CommandRequest
from sandboxd.backends.command import Attended
from sandboxd.engine.frames import pump
from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.forward.ports import Wish
from sandboxd.operations import copying, drift, exec, forward, logs, review, stop, verify
from sandboxd.operations.verify import Verified
from sandboxd.operations.wire import encode
from sandboxd.plan.mounts import folder_inside


class World(NamedTuple):
    """A backend on which the unnamed sandbox of the project in `project` runs; `folder` is for files of the test."""

    backend: Backend
    project: str
    folder: Path
    environ: Mapping[str, str]
    print_lines: Callable[[str], None]
    """Have the main process of the sandbox write lines."""


def _attend(command: Attended) -> tuple[int, bytes]:
    """The exit code of a command, and what it wrote to stdout."""
    pieces: list[bytes] = []

    def write(stream: int, piece: bytes) -> None:
        if stream == 1:
            pieces.append(piece)

    try:
        pump(command.connection, command.first, False, write)
        return command.exit_code(), b"".join(pieces)
    finally:
        command.connection.close()


class BackendSuite:
    """Each test gets the fixture `world` of the class that inherits them."""

    def test_a_sandbox_that_runs_is_found_again_as_the_same(self, world: World) -> None:
        running = world.backend.locate(world.project, "")
        assert running.id and running.sandbox == os.path.realpath(world.project)
        assert world.backend.locate(world.project, "") == running

    def test_all_sandboxes_are_listed(self, world: World) -> None:
        names = self._names(world)
        ended = stop.stop(world.backend, world.project, world.environ)
        assert [*ended.removed] == names
        assert self._names(world) == []

    @staticmethod
    def _names(world: World) -> list[object]:
        listed = world.backend.list_sandboxes().sandboxes
        assert all(len({*each.columns} ^ {*listed[0].columns}) == 0 for each in listed)
        assert json.loads(json.dumps([dict(each.facts) for each in listed])) is not None
        return [each.facts["name"] for each in listed]

    def test_a_sandbox_that_does_not_run_is_a_failure_of_the_environment(
        self, world: World
    ) -> None:
        with pytest.raises(EnvironmentFailure) as told:
            world.backend.locate(world.project, "other")
        assert told.value.hint

    @pytest.mark.parametrize("size", [0, 1, 300_000])
    def test_a_command_gets_its_whole_input_and_its_exit_code_comes_back(
        self, world: World, size: int
    ) -> None:
        pieces: list[bytes] = []

        def write(_stream: int, piece: bytes) -> None:
            pieces.append(piece)

        running = world.backend.locate(world.project, "")
        command = ["sh", "-c", "cat; exit 7"]
        assert world.backend.run(running, command, b"x" * size, 60, write) == 7
        assert b"".join(pieces) == b"x" * size

    @pytest.mark.parametrize("directory", ["", "src"])
    def test_a_command_begins_in_the_folder_of_its_caller(
        self, world: World, directory: str
    ) -> None:
        here = os.path.join(world.project, directory)
        os.makedirs(here, exist_ok=True)
        inside = folder_inside(here, os.path.realpath(world.project))
        words = ("mkdir", "-p", inside)
        world.backend.read(world.backend.locate(world.project, ""), words)
        script = 'pwd; echo "$WORD"; exit 7'
        request = CommandRequest(("sh", "-c", script), here, env=("WORD=of the caller",))
        assert _attend(exec.begin(world.backend, request)) == (
            7,
            f"{inside}\nof the caller\n".encode(),
        )

    def test_a_shell_reads_its_input_to_the_end(self, world: World) -> None:
        request = CommandRequest((), world.project, stdin=True, must_end_input=True)
        command = exec.begin(world.backend, request)
        command.connection.sendall(b"echo one; exit 3\n")
        command.connection.shutdown(socket.SHUT_WR)
        assert _attend(command) == (3, b"one\n")

    def test_no_command_begins_in_a_sandbox_that_is_not_there(self, world: World) -> None:
        with pytest.raises(EnvironmentFailure):
            exec.begin(world.backend, CommandRequest(("true",), world.project), "other")

    def test_the_output_of_a_short_command_is_read(self, world: World) -> None:
        running = world.backend.locate(world.project, "")
        assert world.backend.read(running, ("sh", "-c", "echo inside")) == "inside\n"

    def test_the_last_lines_of_the_main_process_are_shown(self, world: World) -> None:
        world.print_lines("one\ntwo\nthree\n")
        pieces: list[bytes] = []

        def write(stream: int, piece: bytes) -> None:
            assert stream == 1
            pieces.append(piece)

        logs.logs(world.backend, world.project, write, tail="2")
        assert b"".join(pieces) == b"two\nthree\n"

    def test_there_is_no_output_of_a_sandbox_that_is_not_there(self, world: World) -> None:
        with pytest.raises(EnvironmentFailure) as told:
            logs.logs(world.backend, world.project, print, name="other")
        assert told.value.hint

    def test_a_failure_in_a_sandbox_that_goes_on_stays_what_it_is(self, world: World) -> None:
        running = world.backend.locate(world.project, "")
        with (
            pytest.raises(UsageError, match=r"^of the caller$"),
            world.backend.blaming_end(running),
        ):
            raise UsageError("of the caller", "")

    def test_files_come_in_and_out_again(self, world: World) -> None:
        (world.folder / "tree/below").mkdir(parents=True)
        (world.folder / "tree/below/file").write_bytes(b"\0bytes" * 1000)
        (world.folder / "back").mkdir()
        tree, back = str(world.folder / "tree"), str(world.folder / "back")
        assert copying.copy_in(world.backend, world.project, tree, ".") == 1
        copied = copying.copy_out(world.backend, world.project, "tree", back)
        assert (copied.files, copied.left) == (1, ())
        assert (world.folder / "back/tree/below/file").read_bytes() == b"\0bytes" * 1000

    def test_a_sandbox_that_is_ended_is_not_found_any_more(self, world: World) -> None:
        ended = stop.stop(world.backend, world.project, world.environ)
        assert len(ended.removed) == 1
        assert ended == stop.Stopped(world.project, ended.removed, (), "")
        with pytest.raises(EnvironmentFailure):
            world.backend.locate(world.project, "")
        record = Record(notes.folder(world.environ))
        entry = chain.check(record.files(), record.marks()).entries[-1]
        assert entry.kind == "stop"
        assert entry.facts == {
            "removed": [*ended.removed],
            "discarded": False,
            **world.backend.place,
        }

    def test_the_end_of_a_sandbox_that_is_not_there_is_no_failure(self, world: World) -> None:
        ended = stop.stop(world.backend, world.project, world.environ, name="other")
        assert ended == stop.Stopped(world.project, (), (), "")

    def test_nothing_is_ended_by_a_folder_that_is_not_there(self, world: World) -> None:
        with pytest.raises(UsageError, match=r"is not a folder$"):
            stop.stop(world.backend, f"{world.project}/none", world.environ)
        assert world.backend.locate(world.project, "").id

    def test_changes_are_collected_of_a_sandbox_that_runs(self, world: World) -> None:
        collected = review.collect(world.backend, world.project)
        assert collected.ended is None
        if collected.path:
            with review.reviewed(collected) as changes:
                assert changes.ended is None
            assert not os.path.exists(collected.path)

    def test_nothing_is_collected_where_there_is_no_sandbox(self, world: World) -> None:
        with pytest.raises(SandboxdError) as told:
            review.collect(world.backend, world.project, name="other")
        assert told.value.hint

    def test_an_attack_is_judged_and_recorded(self, world: World) -> None:
        attacked = verify.attack(world.backend, world.project, world.environ)
        assert attacked.sandbox == os.path.realpath(world.project)
        assert attacked.verdict.results
        shows = Ability.SHOW_CONTROLS not in world.backend.cannot
        assert bool(attacked.container) == shows
        document = json.loads(json.dumps(encode(Verified(attacked.verdict, 1, ()))))
        assert verify.decode(document).verdict == attacked.verdict
        record = Record(notes.folder(world.environ))
        entry = chain.check(record.files(), record.marks()).entries[-1]
        assert entry.kind == "verify"

    def test_nothing_is_attacked_where_there_is_no_sandbox(self, world: World) -> None:
        with pytest.raises(EnvironmentFailure) as told:
            verify.attack(world.backend, world.project, world.environ, name="other")
        assert told.value.hint

    def test_a_sandbox_is_compared_and_differences_are_recorded(self, world: World) -> None:
        compared = drift.drift(world.backend, world.project, world.environ)
        assert compared.sandbox == os.path.realpath(world.project) and compared.container
        assert drift.decode(json.loads(json.dumps(encode(compared)))) == compared
        record = Record(notes.folder(world.environ))
        entries = [
            each
            for each in chain.check(record.files(), record.marks()).entries
            if each.kind == "drift"
        ]
        assert bool(entries) == bool(compared.differences)
        if entries:
            said = entries[-1].facts["differences"]
            assert len(said) == len(compared.differences)
            assert world.backend.place.items() <= entries[-1].facts.items()

    def test_nothing_is_compared_where_there_is_no_sandbox(self, world: World) -> None:
        with pytest.raises(EnvironmentFailure) as told:
            drift.drift(world.backend, world.project, world.environ, name="other")
        assert told.value.hint

    def test_what_is_not_inside_is_said(self, world: World) -> None:
        with pytest.raises(UsageError, match=r"is not there inside, or may not be seen$"):
            copying.copy_out(world.backend, world.project, "none", str(world.folder))

    def test_a_service_that_is_not_there_is_refused_before_a_port_is_opened(
        self, world: World
    ) -> None:
        wishes = [Wish(5432, 0, service="db")]
        prepare = functools.partial(
            forward.prepare, world.backend, world.project, os.environ, wishes, "127.0.0.1", print
        )
        if refusal := world.backend.cannot.get(Ability.REACH_SERVICES):
            with pytest.raises(UsageError, match=rf"^the service `db` {refusal.why}$"):
                prepare()
        else:
            with pytest.raises(EnvironmentFailure, match="`db`"):
                prepare()
