"""Many editors, one daemon: what one does, or how it dies, is nothing to the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.ipc import client
from tests.integration.daemon.world import World
from tests.integration.lsp.raw import RawClient
from tests.patience import PATIENCE, eventually

URI = "file:///nowhere/.devcontainer/devcontainer.json"
WEAK = '{"image": "x", "privileged": true}'

# -S -E: what site and the user's environment import is not ours.
LOADED = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})
before = set(sys.modules)
sys.argv = ["sandboxd", "lsp", "--stdio"]
from sandboxd.ipc import pipe
pipe.pump = lambda *_: print(*sorted(set(sys.modules) - before), flush=True)
from sandboxd.__main__ import main
main()
"""


@pytest.fixture(autouse=True)
def starting(world: World) -> None:
    """An editor starts the daemon where none runs."""
    del world.environ["SANDBOXD_NO_DAEMON"]


def weak(editor: RawClient) -> bool:
    return "privileged-container" in {d["code"] for d in editor.published()}


def titles(editor: RawClient, uri: str) -> list[str]:
    """Those of the lenses."""
    lenses = editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})["result"]
    return [lens["command"]["title"] for lens in lenses]


def test_the_pipe_imports_next_to_nothing(daemon_world: World) -> None:
    with RawClient(environ=daemon_world.environ) as first:
        first.initialize()  # from here on the daemon is warm
    result = subprocess.run(
        [sys.executable, "-S", "-E", "-c", LOADED],
        env=daemon_world.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    first = set(result.stdout.splitlines()[0].split())
    assert "sandboxd.ipc.pipe" in first
    heavy = {"argparse", "asyncio", "json", "re", "socket", "subprocess", "threading", "typing"}
    assert first & (heavy | {"pygls", "lsprotocol", "enum", "logging"}) == set()


def test_one_editors_end_is_nothing_to_another(daemon_world: World) -> None:
    environ = daemon_world.environ
    with RawClient(environ=environ) as stays:
        stays.initialize()
        stays.open(URI, WEAK)
        assert weak(stays)
        with RawClient(environ=environ) as orderly:
            orderly.initialize()
            assert orderly.shut_down() == 0
        with RawClient(environ=environ) as rude:
            rude.initialize()
            rude.notify("exit")
            assert rude.process.wait(PATIENCE) == 1
        with RawClient(environ=environ) as killed:
            killed.initialize()
            killed.send_bytes(b"Content-Length: 1000\r\n\r\n{half")
            killed.process.kill()
            killed.process.wait()
        stays.change(URI, '{"image": "x"}', 2)
        codes = stays.published(2)
        assert "privileged-container" not in {d["code"] for d in codes}
        assert stays.shut_down() == 0


def test_the_end_of_either_side_ends_the_pipe(world: World) -> None:
    world.start()
    with RawClient(environ=world.environ) as editor:
        editor.initialize()
        assert editor.process.stdin is not None
        editor.process.stdin.close()
        assert editor.process.wait(PATIENCE) == 1
    with RawClient(environ=world.environ) as editor:
        editor.initialize()
        pid = world.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert editor.process.wait(PATIENCE) == 1
    with RawClient(environ=world.environ) as again:
        again.initialize()
        again.open(URI, WEAK)
        assert weak(again)
        assert world.pid() != pid


def test_an_older_daemon_makes_way_and_keeps_its_editors(world: World) -> None:
    script = (
        "import sandboxd; sandboxd.__version__ = '0.0.1'\n"
        "from sandboxd.cli.main import run; run(['daemon', 'run', '--background'])"
    )
    older = subprocess.Popen([sys.executable, "-P", "-c", script], env=world.environ)
    try:
        eventually(world.pid)
        attach = (
            "import sandboxd; sandboxd.__version__ = '0.0.1'\n"
            "import sys; sys.argv = ['sandboxd', 'lsp']\n"
            "from sandboxd.__main__ import main; sys.exit(main())"
        )
        with RawClient(environ=world.environ, command=["-P", "-c", attach]) as old:
            old.initialize()
            old.open(URI, WEAK)
            assert weak(old)
            with RawClient(environ=world.environ) as new:
                new.initialize()
                new.open(URI, WEAK)
                assert weak(new)
                # The editor does not wait long for it: on a busy machine it may still be starting.
                eventually(lambda: world.pid() not in (None, older.pid))
                assert older.poll() is None
                # What it has not saved is still there.
                old.change(URI, '{"image": "x"}', 2)
                assert old.published(2) is not None
                assert old.shut_down() == 0
                assert older.wait(PATIENCE) == 0
                assert new.shut_down() == 0
    finally:
        older.kill()
        older.wait()


def test_a_newer_daemon_is_left_alone(world: World) -> None:
    script = (
        "import sandboxd; sandboxd.__version__ = '999.0.0'\n"
        "from sandboxd.cli.main import run; run(['daemon', 'run', '--background'])"
    )
    newer = subprocess.Popen([sys.executable, "-P", "-c", script], env=world.environ)
    try:
        eventually(world.pid)
        with RawClient(environ=world.environ) as editor:
            editor.initialize()
            editor.open(URI, WEAK)
            assert weak(editor)
            assert world.pid() == newer.pid
            assert editor.shut_down() == 0
    finally:
        newer.kill()
        newer.wait()


def test_a_daemon_that_hangs_is_done_without_by_the_editor(world: World) -> None:
    pid = world.start()
    os.kill(pid, signal.SIGSTOP)
    try:
        with RawClient(environ=world.environ) as editor:
            editor.initialize()
            editor.open(URI, WEAK)
            assert weak(editor)
            assert editor.shut_down() == 0
    finally:
        os.kill(pid, signal.SIGCONT)


def test_an_editor_that_does_not_read_holds_up_nobody(daemon_world: World) -> None:
    with RawClient(environ=daemon_world.environ, reads=False) as slow:
        slow.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        for _ in range(2000):
            slow.ask("textDocument/hover", {})
        with RawClient(environ=daemon_world.environ) as editor:
            editor.initialize()
            editor.open(URI, WEAK)
            assert weak(editor)
            assert editor.shut_down() == 0


def test_a_project_that_an_editor_opens_is_kept_from_then_on(world: World) -> None:
    folder = world.project()
    # An editor waits two seconds for one that starts, and goes on without it.
    world.start()
    with RawClient(environ=world.environ) as editor:
        editor.initialize()
        uri = (folder / "sandboxd.toml").as_uri()
        editor.open(uri, 'profile = "dev"\nimage = "x"\n')
        editor.published()
        generated = folder / ".devcontainer" / "devcontainer.json"
        eventually(generated.exists)
        # What the daemon knows of the project comes behind its files.
        eventually(lambda: titles(editor, uri)[:2] == ["up", "verify"], lambda: titles(editor, uri))
        assert editor.shut_down() == 0
    assert [p["path"] for p in world.status()["projects"]] == [str(folder)]


def test_twenty_editors_are_one_process_of_a_bounded_size(world: World) -> None:
    pid = world.start()
    editors = [RawClient(environ=world.environ) for _ in range(20)]
    try:
        for editor in editors:
            editor.initialize()
            editor.open(URI, WEAK)
            assert weak(editor)
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        assert pages * os.sysconf("SC_PAGE_SIZE") / 2**20 <= 80
        with client.connect(world.environ, "/", start=False) as connection:  # type: ignore[union-attr]
            assert connection.daemon_pid == pid
        for editor in editors:
            assert editor.shut_down() == 0
    finally:
        for editor in editors:
            editor.__exit__()
