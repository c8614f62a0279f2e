"""Work in a private copy outlives its container, its engine's stop and its end, until it is thrown away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT, VOLUME
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    return sandboxes.make_project(tmp_path / "shop", busybox_image, runtime, "agent")


def test_work_is_there_again_after_every_kind_of_end(
    engine: str, api: Engine, project: Path
) -> None:
    def sandboxd(*words: str) -> str:
        done = sandboxes.run(engine, project, *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout + done.stderr)

    def inside(script: str) -> str:
        return sandboxd("exec", "-n", "--", "sh", "-c", script).strip()

    def container() -> str:
        (summary,) = api.containers(f"{PROJECT}={project}")
        return summary.id

    try:
        sandboxd("up", "--allow-runc")
        inside('echo work > work.txt; rm main.py; echo 1 > "$HOME/x"; echo 2 > "$PIP_CACHE_DIR.x"')
        # As a restart of the engine, and a machine that was switched off, leave it.
        api.stop(container(), 0)
        shown = sandboxd("review", "--diff")
        assert "+work" in shown and "D main.py" in shown
        assert api.inspect(container())["State"]["Status"] == "exited"
        assert "restarted" in sandboxd("up", "--allow-runc")
        assert inside("cat work.txt; ls main.py 2>&1 | wc -l") == "work\n1"

        # What the host changed meanwhile is not the sandbox's to undo.
        (project / "main.py").write_text("print('of the host')\n")
        (project / "new.py").write_text("new\n")
        os.chown(project / "new.py", 1000, 1000)
        ended = sandboxd("down")
        assert "the copy stays" in ended
        # What `down` says of the work is why there may be nothing to show.
        assert "+work" in sandboxd("review", "--diff"), ended
        assert "created" in sandboxd("up", "--allow-runc")
        assert inside('cat work.txt "$HOME/x" "$PIP_CACHE_DIR.x"') == "work\n1\n2"
        shown = sandboxd("review")
        assert "A work.txt" in shown and "new.py" not in shown and "D main.py" not in shown
        assert "is as planned" in sandboxd("drift")

        # Ended where it was stopped already: its work is kept all the same.
        inside("echo late > late.txt")
        api.stop(container(), 0)
        ended = sandboxd("down")
        assert "changes are kept" in ended
        assert "+late" in sandboxd("review", "--diff"), ended
        assert "created" in sandboxd("up", "--allow-runc")

        assert "recreated" in sandboxd("up", "--allow-runc", "--recreate")
        assert inside("cat work.txt") == "work"
        assert "recreated" in sandboxd("up", "--allow-runc", "--fresh")
        assert inside('cat main.py new.py "$HOME/x"').splitlines()[1:] == ["new", "1"]
        assert "work.txt" not in inside("ls")
    finally:
        sandboxes.run(engine, project, "down", "--discard")
    kinds = {v["Name"].split("-")[1] for v in api.volumes(f"{VOLUME}={project}")}
    assert kinds == {"home", "caches"}


def test_a_copy_that_was_never_whole_counts_for_nothing(
    engine: str, api: Engine, project: Path
) -> None:
    """A note that is gone is as one that was never written: the start was killed while it copied."""
    done = sandboxes.run(engine, project, "up", "--allow-runc")
    assert done.returncode == 0, done.stderr
    try:
        notes = Path(os.environ["XDG_STATE_HOME"]) / "sandboxd/copies"
        for note in notes.iterdir():
            note.unlink()
        refused = sandboxes.run(engine, project, "review")
        assert refused.returncode != 0 and "not whole" in refused.stderr
        sandboxes.run(engine, project, "exec", "-n", "rm", "main.py")
        again = sandboxes.run(engine, project, "up", "--allow-runc")
        assert again.returncode == 0 and "not whole" in again.stderr
        assert sandboxes.run(engine, project, "exec", "-n", "cat", "main.py").returncode == 0
    finally:
        sandboxes.run(engine, project, "down", "--discard")
