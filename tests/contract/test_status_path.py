"""`sandboxd status` with a daemon costs little more than Python itself: what it may not import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.daemon.world import World
from tests.patience import eventually

FORBIDDEN = {
    *("argparse", "ast", "asyncio", "collections", "contextlib", "dataclasses", "datetime"),
    *("enum", "functools", "inspect", "json", "logging", "pathlib", "re", "selectors", "shutil"),
    *("socket", "struct", "subprocess", "tempfile", "threading", "time", "tomllib", "traceback"),
    *("typing", "urllib", "docker", "pygls", "watchfiles"),
}

# -S -E: what site and the user's environment import is not ours.
SCRIPT = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
before = set(sys.modules)
sys.argv = ["sandboxd", "status", *sys.argv[1:]]
from sandboxd.__main__ import main
code = main()
loaded = sorted(set(sys.modules) - before)
print("LOADED", code, *loaded, file=sys.stderr)
"""


@pytest.fixture
def world(own_home: Path) -> Iterator[World]:
    user = World(own_home)
    try:
        yield user
    finally:
        user.end()


def ask(world: World, *args: str) -> tuple[str, int, set[str]]:
    result = subprocess.run(
        [sys.executable, "-S", "-E", "-c", SCRIPT, *args],
        env=world.environ,
        cwd=world.home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.stderr.startswith("LOADED"), result.stderr
    _, code, *loaded = result.stderr.split()
    return result.stdout, int(code), set(loaded)


@pytest.mark.parametrize("args", [(), ("--json",), ("--long",), ("--all",), ("--short",)])
def test_nothing_heavy_is_imported(world: World, args: tuple[str, ...]) -> None:
    pid = world.start()
    text, code, loaded = ask(world, *args)
    assert code == 0
    # A prompt outside of a project shows nothing.
    assert text == "" if args == ("--short",) else str(pid) in text
    assert loaded & FORBIDDEN == set()
    ours = {name for name in loaded if name.startswith("sandboxd")}
    assert ours == {
        "sandboxd",
        "sandboxd.__main__",
        "sandboxd.errors",
        "sandboxd.ipc",
        "sandboxd.ipc.address",
        "sandboxd.ipc.dial",
        "sandboxd.ipc.fast_status",
        "sandboxd.ipc.messages",
        "sandboxd.ipc.named_cluster",
    }


def test_exec_imports_nothing_slow_for_a_layout_that_is_not_used(world: World) -> None:
    script = """if True:
        import sys
        from sandboxd.cli import attend
        attend._settle_copy("/", "")
        print(*sys.modules)"""
    result = subprocess.run(
        [sys.executable, "-S", "-E", "-c", script],
        env=world.environ,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    loaded = set(result.stdout.split())
    assert "sandboxd.cli.attend" in loaded, result.stderr
    assert loaded & {*FORBIDDEN, "hashlib"} == {"time"}


def test_the_guard_can_fail(world: World) -> None:
    """Without a daemon the long way is taken, which imports what is forbidden here."""
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=world.environ,
        cwd=world.home,
        capture_output=True,
        text=True,
        timeout=60,
    )
    loaded = set(result.stderr.rpartition("LOADED")[2].split())
    assert {"argparse", "re", "json"} <= loaded


def test_the_short_and_the_long_way_say_the_same(world: World) -> None:
    world.start()
    # On a busy machine the first look at the host takes longer than a status waits.
    eventually(lambda: world.status()["host"])
    short = json.loads(ask(world, "--json")[0])
    long = json.loads(world.run("status", "--json", "--json").stdout)
    for document in (short, long):
        document["host"].pop("age_seconds")
    assert short == long


def test_a_terminal_decides_on_colour_and_width(world: World) -> None:
    import os
    import pty

    world.project()
    assert world.run("daemon", "start", cwd=world.home / "app").returncode == 0
    world.pid()
    plain = world.run("status").stdout
    assert "\x1b" not in plain

    def on_terminal(**more: str) -> str:
        master, slave = pty.openpty()
        try:
            subprocess.run(
                [sys.executable, "-P", "-m", "sandboxd", "status"],
                env={**world.environ, "TERM": "xterm", "COLUMNS": "60", **more},
                cwd=world.home,
                stdout=slave,
                timeout=60,
                check=True,
            )
            return os.read(master, 65536).decode()
        finally:
            os.close(master)
            os.close(slave)

    assert "\x1b[1m" in on_terminal()
    assert "\x1b" not in on_terminal(NO_COLOR="1")
    assert "\x1b" not in on_terminal(TERM="dumb")
    for line in on_terminal(NO_COLOR="1").splitlines():
        assert len(line) <= 60 or " " not in line.strip() or line.startswith("hint:")


def test_a_closed_pipe_is_no_error(world: World) -> None:
    world.start()
    command = subprocess.Popen(
        [sys.executable, "-P", "-m", "sandboxd", "status"],
        env=world.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None and command.stderr is not None
    command.stdout.close()
    assert command.stderr.read() == b""
    assert command.wait(60) == 0
    command.stderr.close()
