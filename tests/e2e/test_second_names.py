"""Hard links that the host makes to what is shut inside, by its everyday tools: a program inside writes by them."""

from __future__ import annotations

import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.halt.points import What
from tests.e2e import sandboxes
from tests.e2e.watched import ENVRC, git, halt_of, make_repository, state, up, watch
from tests.integration.daemon.world import World

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def repository(world: World, project: Path) -> Path:
    """A project under git with control files at its top; no sandbox yet."""
    (project / ".vscode").mkdir(exist_ok=True)
    (project / ".vscode/tasks.json").write_text("{}\n")
    return make_repository(world, project)


@pytest.fixture
def watched(world: World, repository: Path) -> Iterator[Path]:
    """The same, whose sandbox runs and is watched by a daemon."""
    yield from watch(world, repository)


@pytest.mark.parametrize("path", [".envrc", ".vscode"])
def test_a_copy_of_hard_links_halts(world: World, api: Engine, watched: Path, path: str) -> None:
    subprocess.run(["cp", "-al", path, "copy"], cwd=watched, check=True)
    halt = halt_of(world, watched)
    assert [(entry.path, entry.what) for entry in halt.entries] == [(path, What.LINKED)]
    assert state(api, watched) == "paused"
    done = world.run("exec", "-n", "true", cwd=watched)
    assert done.returncode == 4 and f"a hard link was made to `{path}`" in done.stderr
    assert "sandboxd up --recreate" in done.stderr


def test_a_program_inside_writes_no_object_of_the_host_by_a_clone(
    world: World, repository: Path
) -> None:
    """Git on the host would take the file as it is in the object, whatever its id."""
    # A clone of a path starts another git, which takes no settings from the command line.
    (world.home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    git(repository, "clone", "-q", ".", "copy")
    oid = git(repository, "rev-parse", "HEAD:.envrc").strip()
    below = f"copy/.git/objects/{oid[:2]}/{oid[2:]}"
    assert (repository / below).stat().st_nlink > 1
    sandboxes.give_to_user(repository)
    said = up(world, repository)
    try:
        assert "objects in `" in said and "git fsck" in said
        evil = ENVRC.encode().replace(b"host", b"evil") + b"export MORE=1\n"
        (repository / "evil").write_bytes(zlib.compress(b"blob %d\0" % len(evil) + evil))
        script = f"chmod u+w {below} && cat evil > {below}"
        assert world.run("exec", "-n", "--", "sh", "-c", script, cwd=repository).returncode == 0
        (repository / ".envrc").unlink()
        git(repository, "checkout", "-q", "--", ".envrc")
        assert (repository / ".envrc").read_text() == ENVRC + "export MORE=1\n"
    finally:
        world.run("down", "--discard", cwd=repository)


def test_a_program_inside_writes_no_file_of_another_project_by_a_cache(
    world: World, repository: Path, tmp_path: Path
) -> None:
    """As uv, pnpm and bun install: one file by its name in a cache, and by one in each project."""
    module = ".venv/lib/python3/site-packages/six.py"
    cached, other = tmp_path / "cache/six.py", tmp_path / "other" / module
    cached.parent.mkdir()
    cached.write_text("host\n")
    for name in (other, repository / module):
        name.parent.mkdir(parents=True)
        name.hardlink_to(cached)
    sandboxes.give_to_user(repository)
    said = up(world, repository)
    try:
        assert "in `.venv` had names outside of this folder" in said
        done = world.run("exec", "-n", "--", "sh", "-c", f"echo evil > {module}", cwd=repository)
        assert done.returncode == 0, done.stderr
        assert (repository / module).read_text() == "evil\n"
        assert cached.read_text() == other.read_text() == "host\n"
    finally:
        world.run("down", "--discard", cwd=repository)


def test_what_the_host_installs_while_it_runs_is_named(watched: Path, world: World) -> None:
    assert "links to caches" not in world.run("status", "--all", cwd=watched).stdout
    (watched / ".venv").mkdir()
    for number in range(3):
        cached = watched.parent / f"cached-{number}"
        cached.touch()
        (watched / f".venv/{number}.py").hardlink_to(cached)
    assert "links to caches" in world.run("status", "--all", cwd=watched).stdout
