"""Files that agents and editors act on, written in a sandbox: none of them comes out unless it is named."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from tests import configs_that_act
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def test_none_acts_in_a_sandbox_or_comes_out_by_itself(
    engine: str, tmp_path: Path, busybox_image: str, runtime: str, own_home: Path
) -> None:
    canary = tmp_path / "canary"
    workspace = sandboxes.make_project(tmp_path / "w", busybox_image, runtime, "agent")
    files, _ = configs_that_act.read(str(canary))

    def sandboxd(*words: str) -> str:
        done = sandboxes.run(engine, workspace, *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    sandboxd("up", "--allow-runc")
    try:
        script = "\n".join(
            f"mkdir -p {os.path.dirname(path) or '.'}; printf %s {shlex.quote(text)} > {path}"
            for path, text in files.items()
            if not path.startswith(".devcontainer")
        )
        sandboxd("exec", "-n", "sh", "-c", script + "\necho done > main.py")
        before = {path for path in files if os.path.lexists(workspace / path)}
        sandboxd("review", "--apply", "--yes")
        assert (workspace / "main.py").read_text() == "done\n"
        assert {path for path in files if os.path.lexists(workspace / path)} == before
        sandboxd("review", "--apply", "--yes", "--include", ".mcp.json")
        assert (workspace / ".mcp.json").read_text() == files[".mcp.json"]
    finally:
        assert sandboxes.run(engine, workspace, "down", "--discard").returncode == 0
    assert not canary.exists()
