"""Git's config on the host comes to name what does not exist yet while the sandbox runs: inside could make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.halt.points import What
from tests.e2e.watched import attack, git, halt_of, make_repository, state, up, watch
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def watched(world: World, project: Path) -> Iterator[Path]:
    """A repository whose sandbox runs and is watched by a daemon."""
    (project / "tools").mkdir()
    (project / "tools/build").write_text("")
    yield from watch(world, make_repository(world, project))


def _hooks(ran: Path) -> str:
    hook = "tools/hooks/post-commit"
    return f"mkdir -p tools/hooks; printf '#!/bin/sh\\ntouch {ran}\\n' > {hook}; chmod +x {hook}"


def _include(ran: Path) -> str:
    return f"printf '[core]\\n\\tfsmonitor = \"touch {ran}; false\"\\n' > .gitlocal"


CASES = {
    "hooks": ("core.hooksPath", "tools/hooks", "tools/hooks", _hooks),
    "include": ("include.path", "../.gitlocal", ".gitlocal", _include),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_the_config_names_before_it_exists_halts_and_what_inside_makes_is_put_aside(
    world: World,
    api: Engine,
    watched: Path,
    tmp_path: Path,
    case: tuple[str, str, str, Callable[[Path], str]],
) -> None:
    setting, value, path, script = case
    ran = tmp_path / "ran"
    # What the config does not name is nobody's concern.
    git(watched, "config", "alias.co", "checkout")
    world.run("exec", "-n", "true", cwd=watched)
    assert state(api, watched) == "running"
    # As soon as anything shows that the config has it: here the host's next file.
    # Waited for by a command, which a pause alone would not end.
    act = f"touch waits; until [ -e named ]; do :; done; {script(ran)}; sleep 9999"
    waits = world.popen("exec", "-n", "--", "sh", "-c", act, cwd=watched)
    eventually((watched / "waits").exists, world.log)
    git(watched, "config", setting, value)
    (watched / "named").touch()
    halt = halt_of(world, watched)
    assert (path, What.NAMED) in [(entry.path, entry.what) for entry in halt.entries]
    eventually(lambda: state(api, watched) == "paused", world.log)
    git(watched, "commit", "-q", "--allow-empty", "-m", "x")
    git(watched, "status")
    assert not ran.exists() and not (watched / path).exists()
    # That which waited for the program inside was told, too.
    assert waits.wait(PATIENCE) == 4
    assert waits.stderr is not None and f"acts upon `{path}`" in waits.stderr.read()
    done = world.run("exec", "-n", "true", cwd=watched)
    assert done.returncode == 4 and f"acts upon `{path}`" in done.stderr, done.stderr
    up(world, watched, "--recreate")
    # The folder is shut by now; a file cannot be made empty, and halts when it comes.
    if setting == "include.path":
        # Not waited for: the halt may come before its end.
        attack(api, watched, script(ran))
        eventually(lambda: state(api, watched) == "paused", world.log)
        # What the first halt put aside may have the first name of those that are put aside.
        eventually(lambda: not (watched / ".gitlocal").exists(), world.log)
    else:
        world.run("exec", "-n", "--", "sh", "-c", script(ran), cwd=watched)
    git(watched, "commit", "-q", "--allow-empty", "-m", "y")
    git(watched, "status")
    assert not ran.exists()
    if setting == "core.hooksPath":
        assert state(api, watched) == "running"
