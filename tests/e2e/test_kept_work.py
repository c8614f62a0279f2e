"""No state that a sandbox can be in, and no end of `up`, loses work or makes a copy pass that is none."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.host import runtime_processes
from sandboxd.life import end as life_end
from sandboxd.model.labels import PROJECT
from sandboxd.review import collect
from tests.e2e import sandboxes
from tests.e2e.held_copy import held_copy
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

MANY = 300
COUNTING = "i=0; while :; do i=$((i+1)); echo $i > next; mv next counter; done >/dev/null 2>&1"


class Project:
    """A project that works on a private copy, with the commands a person would give."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine, self.folder = engine, folder

    def sandboxd(self, *words: str, code: int = 0) -> str:
        done = sandboxes.run(self.engine, self.folder, *words)
        assert done.returncode == code, done.stderr
        return str(done.stdout + done.stderr)

    def docker(self, *words: str) -> str:
        command = ["docker", "-H", self.engine, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @property
    def container(self) -> str:
        return self.docker("ps", "-aq", "--filter", f"label={PROJECT}={self.folder}").strip()

    def start(self, engine: str) -> subprocess.Popen[bytes]:
        """`sandboxd up` on the engine at `engine`, in a session of its own, as in a terminal of its own."""
        return subprocess.Popen(
            sandboxes.command(engine, self.folder, "up", "--allow-runc"),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )


@pytest.fixture
def project(
    engine: str, own_home: Path, tmp_path: Path, busybox_image: str, runtime: str
) -> Iterator[Project]:
    result = Project(
        engine, sandboxes.make_project(tmp_path / "w", busybox_image, runtime, "agent")
    )
    try:
        yield result
    finally:
        result.sandboxd("down", "--discard")


def work(project: Project) -> None:
    project.sandboxd("exec", "-n", "sh", "-c", "echo work >> main.py")


def is_kept() -> bool:
    streams = list(Path(collect.folder()).iterdir())
    return any(b"work" in path.read_bytes() for path in streams)


def test_a_paused_sandbox_ends_with_its_work_kept(project: Project) -> None:
    project.sandboxd("up", "--allow-runc")
    work(project)
    project.docker("pause", project.container)
    assert "1 change is kept" in project.sandboxd("down")
    assert project.container == "" and is_kept()


def test_a_paused_sandbox_goes_on(project: Project) -> None:
    project.sandboxd("up", "--allow-runc")
    work(project)
    project.docker("pause", project.container)
    assert "the sandbox is paused" in project.sandboxd("review", code=2)
    assert "resumed" in project.sandboxd("up", "--allow-runc")
    assert "work" in project.sandboxd("exec", "-n", "cat", "main.py")


def test_another_plan_keeps_the_work_of_a_paused_sandbox(project: Project) -> None:
    project.sandboxd("up", "--allow-runc")
    work(project)
    project.docker("pause", project.container)
    with (project.folder / "sandboxd.toml").open("a") as file:
        file.write('[environment]\nA = "1"\n')
    assert "1 change is kept" in project.sandboxd("up", "--allow-runc")
    assert is_kept()


def test_the_work_of_a_sandbox_that_restarted_is_kept(
    engine: str, own_home: Path, tmp_path: Path, busybox_image: str
) -> None:
    """Under runc: an old gVisor has no restart that the engine would make."""
    folder = sandboxes.make_project(tmp_path / "w", busybox_image, "runc", "agent")
    project = Project(engine, folder)
    project.sandboxd("up", "--allow-runc")
    work(project)
    project.docker("update", "--restart", "always", project.container)
    kill = ["exec", project.container, "kill", "-TERM", "1"]
    subprocess.run(["docker", "-H", engine, *kill], check=False)
    restarts = ("inspect", "-f", "{{.RestartCount}}", project.container)
    eventually(lambda: project.docker(*restarts).strip() != "0")
    answer = project.sandboxd("down")
    assert "1 change is kept" in answer
    assert project.container == "" and is_kept()


def fill(project: Project) -> list[str]:
    """More files than there were; all names."""
    for number in range(MANY):
        path = project.folder / f"file-{number}"
        path.write_bytes(b"x" * 100)
        os.chown(path, 1000, 1000)
    return sorted(os.listdir(project.folder))


def interrupt(project: Project, folder: Path, number: signal.Signals) -> int:
    """Start, and send the signal while the copy is waited for; the exit code."""
    with held_copy(project.engine, folder) as held:
        process = project.start(held.host)
        eventually(lambda: held.is_held() or process.poll() is not None)
        process.send_signal(number)
        return process.wait(5 * PATIENCE)


def test_a_killed_start_leaves_no_copy_that_passes_as_good(
    project: Project, tmp_path: Path
) -> None:
    before = fill(project)
    interrupt(project, tmp_path, signal.SIGKILL)
    # What it started inside goes on, and would finish the copy in time: the machine's end would not.
    end_all = ["docker", "-H", project.engine, "exec", project.container, "sh", "-c", "kill -9 -1"]
    subprocess.run(end_all, check=False)
    answer = project.sandboxd("review", "--apply", "--yes", code=4)
    assert "not whole" in answer and "`sandboxd up` makes it anew" in answer
    assert sorted(os.listdir(project.folder)) == before
    answer = project.sandboxd("up", "--allow-runc")
    assert "was interrupted" in answer and "recreated" in answer
    assert "no file differs" in project.sandboxd("review")
    assert sorted(os.listdir(project.folder)) == before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)]
)
def test_an_interrupted_start_takes_away_what_it_made(
    project: Project, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    assert interrupt(project, tmp_path, number) == code
    assert project.container == ""


def test_pin_volumes_go_with_the_plan_that_needed_them(
    engine: str, own_home: Path, tmp_path: Path, busybox_image: str, runtime: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "w", busybox_image, runtime, "dev")
    project = Project(engine, folder)
    project.sandboxd("up", "--allow-runc")
    config = folder / "sandboxd.toml"
    config.write_text(config.read_text().replace('"dev"', '"untrusted"'))
    sandboxes.grant(folder)
    project.sandboxd("up", "--allow-runc")
    project.sandboxd("down")
    left = project.docker("volume", "ls", "-q", "--filter", "label=dev.sandboxd.pin=true").split()
    devices = [project.docker("volume", "inspect", "-f", "{{.Options.device}}", v) for v in left]
    assert not [device for device in devices if device.startswith(str(folder))]


def typed(project: Project, *words: str, answer: str) -> str:
    """A command at a terminal, with one line typed into it; what it wrote there."""
    command = sandboxes.command(project.engine, project.folder, *words)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ
    )
    os.write(master, answer.encode() + b"\n")
    output, _ = process.communicate(timeout=5 * PATIENCE)
    os.close(slave)
    os.close(master)
    return output.decode()


def test_deletions_come_only_when_they_are_asked_for_and_many_only_by_their_number(
    engine: str, own_home: Path, tmp_path: Path, busybox_image: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "w", busybox_image, "runc", "agent")
    project = Project(engine, folder)
    for number in range(30):
        (folder / f"file-{number}").write_text("x")
    before = sorted(os.listdir(folder))
    project.sandboxd("up", "--allow-runc")
    try:
        project.sandboxd("exec", "-n", "sh", "-c", "rm file-* && echo work >> main.py")
        answer = project.sandboxd("review", "--apply", "--yes")
        assert "deleted in the sandbox, not here: `file-0` and 29 more" in answer
        assert "brought into the workspace: 1 change" in answer
        answer = project.sandboxd("review", "--apply", "--yes", "--deletions", code=2)
        assert "30 of 33 files would be deleted" in answer and "`--deletions 30`" in answer
        answer = typed(project, "review", "--stat", "--apply", "--deletions", answer="y")
        assert "type the number to do it" in answer and "nothing is deleted" in answer
        assert "there are 30 deletions, not 29" in project.sandboxd(
            "review", "--apply", "--yes", "--deletions", "29", code=2
        )
        assert sorted(os.listdir(folder)) == before
        typed(project, "review", "--stat", "--apply", "--deletions", answer="30")
        assert not [name for name in os.listdir(folder) if name.startswith("file-")]
    finally:
        project.sandboxd("down", "--discard")


@pytest.mark.gvisor
@pytest.mark.parametrize("profile", ["dev", "agent"])
def test_of_a_sandbox_that_hangs_the_engine_is_not_blamed(
    engine: str, own_home: Path, tmp_path: Path, busybox_image: str, profile: str
) -> None:
    """gVisor's process is halted behind the engine's back: nothing inside answers, nothing ends."""
    folder = sandboxes.make_project(tmp_path / "w", busybox_image, "gvisor", profile)
    project = Project(engine, folder)
    project.sandboxd("up")
    pid = int(project.docker("inspect", "-f", "{{.State.Pid}}", project.container))
    os.kill(pid, signal.SIGSTOP)
    try:
        words = "does not react, while the engine itself answers"
        answer = ""

        def is_said() -> bool:
            nonlocal answer
            answer = project.sandboxd("down", code=4)
            return words in answer

        # An engine with much to do may itself be late with its answer.
        eventually(is_said, lambda: answer, 5 * PATIENCE)
        assert "the container engine" not in answer and "down --discard" in answer
    finally:
        os.kill(pid, signal.SIGCONT)
    project.sandboxd("down", "--discard")
    assert project.container == ""


def test_a_container_whose_shim_hangs_is_ended_by_its_process(
    engine: str, tmp_path: Path, busybox_image: str
) -> None:
    """As after an old gVisor ran out of memory: the engine says that it runs, and cannot remove it."""
    project = Project(engine, sandboxes.make_project(tmp_path / "ws", busybox_image, "runc"))
    project.sandboxd("up")
    whole = project.docker("inspect", "-f", "{{.Id}}", project.container).strip()
    (shim,) = runtime_processes.shims(whole)
    os.kill(shim, signal.SIGSTOP)
    try:
        project.sandboxd("down", "--discard")
        assert list(runtime_processes.shims(whole)) == []
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(shim, signal.SIGCONT)
    assert project.container == ""


def test_nothing_is_written_between_keeping_and_the_end(project: Project, api: Engine) -> None:
    project.sandboxd("up", "--allow-runc")
    project.docker("exec", "-d", project.container, "sh", "-c", COUNTING)
    read = ["exec", "-n", "cat", "counter"]
    eventually(lambda: is_counting(project))
    stream = collect.collect(
        api, api.inspect(project.container), str(project.folder), stop_others=True
    )
    (change,) = [entry for entry in stream.entries if entry.path == "counter"]
    assert project.sandboxd(*read) == stream.content(change).decode()
    collect.let_go_on(api, project.container)
    eventually(lambda: project.sandboxd(*read) != stream.content(change).decode())


class Interrupted:
    """The engine, until a container is to be stopped: then the operation is interrupted, or killed."""

    def __init__(self, api: Engine, error: type[BaseException]) -> None:
        self._api, self._error = api, error

    def __getattr__(self, name: str) -> Any:
        return self._stop if name == "stop" else getattr(self._api, name)

    def _stop(self, *_: object) -> None:
        raise self._error


class Killed(BaseException):
    """Stands for a signal after which the process does nothing any more."""


def is_counting(project: Project) -> bool:
    """Whether the loop inside has begun and goes on."""
    read = ("exec", "-n", "sh", "-c", "[ ! -e counter ] || cat counter")
    return len({project.sandboxd(*read) for _ in range(3)}) > 1


def count(project: Project) -> None:
    project.sandboxd("up", "--allow-runc")
    project.docker("exec", "-d", project.container, "sh", "-c", COUNTING)
    eventually(lambda: is_counting(project))


def end(api: Engine, project: Project, error: type[BaseException]) -> None:
    engine: Any = Interrupted(api, error)
    (container,) = api.containers(f"{PROJECT}={project.folder}")
    with pytest.raises(error):
        life_end.end(engine, container, str(project.folder), lambda _: None)


def test_an_end_that_is_interrupted_lets_the_sandbox_go_on(project: Project, api: Engine) -> None:
    count(project)
    end(api, project, KeyboardInterrupt)
    assert is_kept_counter()
    eventually(lambda: is_counting(project))


def test_after_an_end_that_was_killed_the_next_start_lets_the_sandbox_go_on(
    project: Project, api: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(project)
    with monkeypatch.context() as patch:
        patch.setattr(collect, "let_go_on", lambda *_: False)
        end(api, project, Killed)
    assert not is_counting(project)
    assert "resumed" in project.sandboxd("up", "--allow-runc")
    eventually(lambda: is_counting(project))
    assert "already running" in project.sandboxd("up", "--allow-runc")


def is_kept_counter() -> bool:
    return any(b"counter" in path.read_bytes() for path in Path(collect.folder()).iterdir())
