"""A folder beside the workspace is read inside at the same relative path once the user agreed, and never written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def run(engine: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = sandboxes.run(engine, folder, *words)
    return done


@pytest.mark.parametrize("profile", ["dev", "agent"])
def test_a_folder_is_read_and_not_written(
    engine: str, own_home: Path, tmp_path: Path, busybox_image: str, runtime: str, profile: str
) -> None:
    project = sandboxes.make_project(tmp_path / "w", busybox_image, runtime, profile, granted=False)
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "lib.py").write_text("x = 1\n")
    sandboxes.give_to_user(lib)
    sandboxes.open_to_user(tmp_path)
    with (project / "sandboxd.toml").open("a") as config:
        config.write('[workspace]\nfolders = ["../lib"]\n')
    refused = run(engine, project, "up", "--allow-runc")
    assert refused.returncode == 2 and "`../lib`" in refused.stderr, refused
    shown = run(engine, project, "trust", "add", "--yes")
    assert f"`{lib}` can be read inside" in shown.stdout + shown.stderr, shown
    started = run(engine, project, "up", "--allow-runc")
    try:
        assert started.returncode == 0, started.stderr
        read = run(engine, project, "exec", "--", "cat", "../lib/lib.py")
        assert read.stdout == "x = 1\n", read
        for act in ("echo evil > ../lib/lib.py", "echo evil > ../lib/new", "rm -f ../lib/lib.py"):
            tried = run(engine, project, "exec", "--", "sh", "-c", f"{act}; mv ../lib ../moved")
            assert tried.returncode != 0, (act, tried)
        assert [path.name for path in lib.iterdir()] == ["lib.py"]
        assert (lib / "lib.py").read_text() == "x = 1\n"
        (lib / "later.py").write_text("y = 2\n")
        assert run(engine, project, "exec", "--", "cat", "../lib/later.py").stdout == "y = 2\n"
        drift = run(engine, project, "drift")
        assert drift.returncode == 0, drift
    finally:
        ended = run(engine, project, "down")
    assert ended.returncode == 0, ended.stderr
    assert (lib / "lib.py").read_text() == "x = 1\n"
