"""What a sandbox wrote and changed, shown by the daemon and without one."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from sandboxd.review.changes import header
from tests.integration.daemon.world import World
from tests.integration.stub_engine import StubEngine
from tests.patience import PATIENCE


def test_logs(world: World, engine: StubEngine, project: Path, helped: bool) -> None:
    done = world.run("logs", cwd=project)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"error: `{project}` has no sandbox\nhint: start it: `sandboxd up`\n"
    assert world.run("up", cwd=project).returncode == 0
    (container,) = engine.of_projects()
    container.output[:] = [(1, b"out "), (2, b"err"), (1, b"x" * 200_000)]
    done = world.run("logs", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out " + "x" * 200_000, "err")
    process = world.popen("logs", "--follow", cwd=project)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(4) == "out "
    container.output.append((2, b" late"))
    assert world.run("down", cwd=project).returncode == 0
    # Not `communicate`: it does not know what `read` took into its buffer.
    assert process.stdout.read() == "x" * 200_000
    assert process.stderr.read() == "err late"
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_logs_that_are_followed_end_with_a_signal(
    world: World, engine: StubEngine, project: Path, helped: bool, number: int
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    (container,) = engine.of_projects()
    container.output[:] = [(1, b"here\n")]
    process = world.popen("logs", "-f", cwd=project)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(number)
    _, stderr = process.communicate(timeout=PATIENCE)
    if number == signal.SIGINT:
        assert (process.returncode, stderr) == (130, "interrupted\n")
    else:
        assert process.returncode == -number


def test_logs_outlive_their_daemon(world: World, engine: StubEngine, project: Path) -> None:
    pid = world.start()
    assert world.run("up", cwd=project).returncode == 0
    (container,) = engine.of_projects()
    container.output[:] = [(1, b"here\n")]
    process = world.popen("logs", "-f", cwd=project)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    os.kill(pid, signal.SIGKILL)
    container.output.append((1, b"there\n"))
    assert process.stdout.readline() == "there\n"
    container.state = "exited"
    assert process.wait(PATIENCE) == 0


def test_an_engine_that_breaks_off_is_no_end_of_the_logs(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    (container,) = engine.of_projects()
    container.output[:] = [(1, b"here\n")]
    process = world.popen("logs", "-f", cwd=project)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    container.output.append((-1, b""))
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "broke off in the middle of an answer" in stderr


def test_kept_changes_are_reviewed_when_no_sandbox_runs(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    folder = Path(world.environ["XDG_STATE_HOME"], "sandboxd", "changes")
    folder.mkdir(parents=True)
    stream = folder / "app-20260101-000000-0000.changes"
    content = b"print(1)\n"
    change = {"kind": "file", "path": "new.py", "mode": 0o644, "mtime": 1, "size": len(content)}
    lines = [json.dumps(change).encode() + b"\n" + content, b'{"kind": "end", "skipped": []}\n']
    stream.write_bytes(header(str(project), "app", 1) + b"".join(lines))
    done = world.run("review", "--diff", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "of a sandbox that ended" in done.stderr
    assert "new.py" in done.stdout and "+print(1)" in done.stdout
    assert stream.exists()
    done = world.run("review", "--apply", "--yes", cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project / "new.py").read_bytes() == content


def test_a_sandbox_that_works_on_the_folder_itself_has_nothing_to_review(
    world: World, engine: StubEngine, project: Path, helped: bool
) -> None:
    assert world.run("up", cwd=project).returncode == 0
    done = world.run("review", "--diff", cwd=project)
    assert done.returncode == 0
    assert done.stderr.startswith("nothing to bring: this sandbox works on your folder itself")
