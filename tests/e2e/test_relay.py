"""Edits made on the host wake a file watcher inside a gVisor sandbox."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from sandboxd.engine.payload import interpreter
from tests.e2e.sandboxes import make_project
from tests.integration.daemon.world import World
from tests.patience import eventually

# What node's fs.watch does underneath.
WATCHER = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(0)
assert libc.inotify_add_watch(watch, b"FOLDER", 0x2 | 0x4 | 0x40 | 0x80 | 0x100) >= 0
sys.stdout.write("watching\\n")
sys.stdout.flush()
while True:
    data = os.read(watch, 4096)
    sys.stdout.buffer.write(data.replace(bytes(1), b"") + b"\\n")
    sys.stdout.flush()
"""

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]


def test_a_watcher_inside_hears_of_edits_made_on_the_host(
    world: World, tmp_path: Path, busybox_image: str
) -> None:
    project = make_project(tmp_path / "app", busybox_image, "gvisor")
    source = project / "src"
    source.mkdir()
    edited = source / "main.js"
    edited.write_text("1\n")
    for path in (source, edited):
        os.chown(path, 1000, 1000)
    assert world.run("daemon", "start", cwd=project).returncode == 0
    world.pid()
    up = world.run("up", cwd=project)
    assert up.returncode == 0, up.stderr
    try:
        eventually(lambda: "relaying edits" in world.log())
        inside = world.run("exec", "sh", "-c", "pwd", cwd=project).stdout.strip()
        program = WATCHER.replace("FOLDER", f"{inside}/src").encode()
        modules = ("ctypes", "os", "struct", "sys")
        tar = interpreter.archive(program, modules, os.environ["XDG_CACHE_HOME"])
        watcher = subprocess.Popen(
            world.command("exec", "sh", "-c", interpreter.SCRIPT, "sh", "watcher"),
            env=world.environ,
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert watcher.stdin is not None
        watcher.stdin.write(tar)
        watcher.stdin.close()
        assert watcher.stdout is not None
        try:
            line = watcher.stdout.readline()
            assert line == b"watching\n", line
            os.set_blocking(watcher.stdout.fileno(), False)
            time.sleep(1.5)
            assert not watcher.stdout.read()
            new = source / "new"
            new.write_text("2\n")
            os.chown(new, 1000, 1000)
            new.rename(edited)
            changed = edited.stat().st_mtime_ns
            heard = bytearray()

            def is_heard() -> bool:
                heard.extend(watcher.stdout.read() or b"")  # type: ignore[union-attr]
                return b"main.js" in heard

            eventually(is_heard)
            # What an editor compares before it saves is as the edit left it.
            assert edited.stat().st_mtime_ns == changed
        finally:
            watcher.kill()
            watcher.wait()
            watcher.stdout.close()
    finally:
        assert world.run("down", cwd=project).returncode == 0
    eventually(lambda: "sandbox is gone" in world.log())
