"""A disk that is full while an agent works, or while its work is kept: said in words, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import outside
from tests.e2e.agent_world import Person, script_agent
from tests.e2e.test_agents import engine, image, person, services
from tests.e2e.test_egress import pytest_generate_tests, runtime
from tools.engine import private

__all__ = ["engine", "image", "person", "pytest_generate_tests", "runtime", "services"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

COMMIT = "git -c user.name=a -c user.email=a@b.test commit -qm"
FILL = f"""
echo more >> weather.sh; {COMMIT} one -a
head -c 2000000000 /dev/zero 2>&- > blob; echo more > other && git add other && {COMMIT} two
true
"""
GO_ON = f"rm blob; echo again >> weather.sh; {COMMIT} three -a"
BALLAST = 50_000_000
EDIT = "echo more >> weather.sh; head -c 500000 /dev/urandom > blob"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The user's state on a small disk, which is there before the engine."""
    folder = tmp_path_factory.mktemp("state")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def private_engine(
    own_engines: None, state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[private.Engine]:
    """An engine all of whose files are on a disk of their own."""
    folder = tmp_path_factory.mktemp("engine")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", str(folder)], check=True)
    started = private.start(
        f"full-{os.getpid()}",
        str(folder),
        owner=os.getpid(),
        arguments=[f"--dns={outside.ADDRESS}"],
    )
    try:
        yield started
    finally:
        private.stop(started.folder)
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """The disk of `folder` without a free byte."""
    path = folder / "fill"
    try:
        with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        yield
    finally:
        path.unlink()


def test_an_agent_that_fills_the_disk_of_the_engine_keeps_what_it_wrote(
    person: Person, private_engine: private.Engine
) -> None:
    person.write_agent("filling", script_agent(FILL, GO_ON))
    ballast = Path(private_engine.folder, "ballast")
    ballast.write_bytes(b"x" * BALLAST)
    done = person.agent("filling", "--print", "work")
    assert done.returncode == 0, done.stderr
    assert "error: the engine starts no program in the sandbox" in done.stderr
    assert "`sandboxd agent filling --resume`" in done.stderr
    refused = person.run("review", "--name", "filling")
    assert refused.returncode == 4, refused.stderr
    assert "the engine starts no program in the sandbox" in refused.stderr
    refused = person.run("exec", "--name", "filling", "-n", "true")
    assert refused.returncode == 126, refused.stderr
    assert "the engine starts no program in the sandbox" in refused.stderr
    # What lasts need not be kept beside it.
    assert "the copy stays" in person.must("down", "--name", "filling")

    ballast.unlink()
    again = person.agent("filling", "--resume", "--print", "go on")
    assert again.returncode == 0, again.stderr
    shown = person.must("review", "--name", "filling", "--save", "--stat")
    assert "M weather.sh  +2 -0" in shown and "A blob" not in shown
    assert any(line.endswith("/main") for line in shown.splitlines())
    assert "the copy stays" in person.must("down", "--name", "filling")
    person.must("down", "--name", "filling", "--discard")


@pytest.mark.parametrize("has_daemon", [False, True])
def test_work_stays_inside_while_the_disk_of_the_state_is_full(
    person: Person, state: Path, has_daemon: bool
) -> None:
    if has_daemon:
        person.world.start()
    person.write_agent("editing", script_agent(EDIT, EDIT))
    done = person.agent("editing", "--print", "work")
    assert done.returncode == 0, done.stderr
    changes = state / "sandboxd/changes"
    with filled(state):
        refused = person.run("review", "--name", "editing")
        assert refused.returncode == 4, refused.stderr
        assert f"`{changes}` has no room for the changes" in refused.stderr
        refused = person.agent("editing", "--resume", "--print", "more")
        assert refused.returncode == 4
        assert "free some space" in refused.stderr, refused.stderr
        inside = person.run("exec", "--name", "editing", "-n", "tail", "-n1", "weather.sh")
        assert inside.stdout == "more\n", inside.stderr
        # What lasts need not be kept beside it.
        ended = person.must("down", "--name", "editing")
        assert f"`{changes}` has no room for the changes" in ended and "the copy stays" in ended
    assert not list(changes.glob("*.new"))
    again = person.agent("editing", "--resume", "--print", "more")
    assert again.returncode == 0 and "M weather.sh  +2 -0" in again.stderr, again.stderr
    assert "2 changes are kept" in person.must("down", "--name", "editing")
    assert "M weather.sh  +2 -0" in person.must("review", "--name", "editing", "--stat")
    for path in changes.iterdir():
        path.unlink()
    person.must("down", "--name", "editing", "--discard")
