"""Git on the host comes to go into a repository while the sandbox runs: it is halted before git goes in."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.errors import EXIT_NOT_HELD
from sandboxd.halt.points import What
from sandboxd.halt.record import Reason
from sandboxd.halt.verdict import Action
from tests.e2e import sandboxes
from tests.e2e.watched import attack, git, halt_of, make_repository, state, up, watch
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Act = Callable[[Path, Path], None]

_EMPTY = b"DIRC\0\0\0\2\0\0\0\0"
_EMPTY_INDEX = "".join(f"\\{byte:03o}" for byte in _EMPTY + hashlib.sha1(_EMPTY).digest())
"""An index without entries, as `printf` takes it: git asks fsmonitor of one that exists."""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Another repository, elsewhere."""
    folder = tmp_path / "library"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "lib.py").write_text("x = 1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


@pytest.fixture
def repository(world: World, project: Path, library: Path) -> Path:
    """A project with a branch, `more`, that has a submodule in `lib`."""
    repository = make_repository(world, project)
    git(repository, "checkout", "-q", "-b", "more")
    oid = git(library, "rev-parse", "HEAD").strip()
    _name(repository, oid, "lib")
    git(repository, "commit", "-qm", "three")
    git(repository, "checkout", "-q", "main")
    sandboxes.give_to_user(repository)
    return repository


@pytest.fixture
def watched(world: World, repository: Path) -> Iterator[Path]:
    """The same on its branch without, whose sandbox runs and is watched by a daemon."""
    yield from watch(world, repository)


def _name(repository: Path, oid: str, *paths: str) -> None:
    """Have the index enter a repository at each path, as a pull does that fetches none."""
    words = [word for path in paths for word in ("--cacheinfo", f"160000,{oid},{path}")]
    git(repository, "update-index", "--add", *words)


def _by_submodule_add(repository: Path, library: Path) -> None:
    git(repository, "submodule", "--quiet", "add", str(library), "lib")


def _by_checkout(repository: Path, _library: Path) -> None:
    git(repository, "checkout", "-q", "more")


def _by_merge(repository: Path, _library: Path) -> None:
    git(repository, "merge", "-q", "more")


def _by_clone_and_add(repository: Path, library: Path) -> None:
    git(repository, "clone", "-q", str(library), "lib")
    git(repository, "add", "lib")


@pytest.mark.parametrize("act", [_by_submodule_add, _by_checkout, _by_merge, _by_clone_and_add])
def test_what_the_index_comes_to_name_halts_and_is_pinned_at_the_next_start(
    world: World, api: Engine, watched: Path, library: Path, act: Act
) -> None:
    act(watched, library)
    halt = halt_of(world, watched)
    # `submodule add` writes this one, too; its content is what the index has, so that it stays.
    written = (".gitmodules", What.TRACKED)
    whats = {(entry.path, entry.what) for entry in halt.entries} - {written}
    entered, added = ("lib/.git", What.ENTERED), ("lib", What.ADDED)
    # `submodule add` makes the repository before the index names it, on a slow machine long before.
    assert whats == {entered} or (act is _by_submodule_add and added in whats <= {entered, added})
    assert halt.reason is Reason.REPLACED and state(api, watched) == "paused"
    done = world.run("exec", "-n", "true", cwd=watched)
    words = ("git on the host goes into `lib/.git`", "git on the host adds the submodule `lib`")
    assert done.returncode == 4 and any(text in done.stderr for text in words), done.stderr
    assert "sandboxd up --recreate" in done.stderr
    is_aside = act is _by_clone_and_add
    assert (watched / "lib/.git.halted").exists() == is_aside
    # What leads into the host's own folder nobody inside can have changed.
    assert (watched / "lib/.git").is_file() == (act is _by_submodule_add)
    if is_aside:
        assert "`mv lib/.git.halted lib/.git` takes it if it is yours" in done.stderr
        (watched / "lib/.git.halted").rename(watched / "lib/.git")
    git(watched, "status")
    sandboxes.give_to_user(watched)
    up(world, watched, "--recreate")
    script = "rm -rf lib/.git; mv lib lab; mkdir -p lib/.git && echo x > lib/.git/config"
    assert world.run("exec", "-n", "--", "sh", "-c", script, cwd=watched).returncode != 0
    assert state(api, watched) == "running"
    assert "HALTED" not in world.run("status", cwd=watched).stdout
    done = world.run("verify", cwd=watched)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_inside_had_ready_is_put_aside_before_git_goes_in(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    config = f'[core]\\nrepositoryformatversion = 0\\nfsmonitor = "touch {ran}; false"\\n'
    make = (
        "mkdir -p lib/.git/objects lib/.git/refs; echo ref: refs/heads/x > lib/.git/HEAD; "
        f"printf '{_EMPTY_INDEX}' > lib/.git/index; printf '{config}' > lib/.git/config.new; "
        "mv lib/.git/config.new lib/.git/config"
    )
    attack(api, watched, f"while :; do [ -e lib/.git/config ] || {{ {make}; }}; done 2>&-")
    eventually(lambda: (watched / "lib/.git/config").exists())
    git(watched, "checkout", "-q", "more")
    halt = halt_of(world, watched)
    assert state(api, watched) == "paused"
    outcomes = {entry.path: entry.outcome for entry in halt.entries}
    outcome = outcomes["lib/.git"]
    assert outcome is not None and outcome.action is Action.SET_ASIDE
    git(watched, "status")
    assert not ran.exists()
    # The proof that it would have run.
    (watched / outcome.aside).rename(watched / "lib/.git")
    git(watched, "status")
    assert ran.exists()


def test_a_work_tree_that_the_host_adds_halts_and_is_pinned_at_the_next_start(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    config = f'[core]\\nrepositoryformatversion = 0\\nfsmonitor = "touch {ran}; false"\\n'
    make = (
        "mkdir -p evil/objects evil/refs; echo ref: refs/heads/x > evil/HEAD; "
        f"printf '{_EMPTY_INDEX}' > evil/index; printf '{config}' > evil/config; touch evil/made"
    )
    lead = "[ -e trees/two/.git ] && echo gitdir: ../../evil > trees/two/.git"
    attack(api, watched, f"{make}; while :; do {lead}; done 2>/dev/null")
    eventually((watched / "evil/made").exists)
    # One elsewhere is nobody's concern, and what a program inside makes is none of git's list.
    git(watched, "worktree", "add", "-q", str(tmp_path / "elsewhere"))
    world.run("exec", "-n", "--", "sh", "-c", "mkdir -p trees/own/.git", cwd=watched)
    assert state(api, watched) == "running"
    # The attack may spoil git's own last step.
    git(watched, "worktree", "add", "-q", "trees/two", check=False)
    halt = halt_of(world, watched)
    (entry,) = halt.entries
    assert (entry.path, entry.what, halt.reason) == (
        "trees/two/.git",
        What.LISTED,
        Reason.REPLACED,
    )
    assert state(api, watched) == "paused"
    git(watched / "trees/two", "status", check=False)
    assert not ran.exists()
    done = world.run("exec", "-n", "true", cwd=watched)
    assert "goes into `trees/two/.git`, which its list of work trees names since" in done.stderr
    # The proof that it would have run.
    (watched / "trees/two/.git").write_text("gitdir: ../../evil\n")
    git(watched / "trees/two", "status", check=False)
    assert ran.exists()
    git(watched, "worktree", "repair", "trees/two")
    sandboxes.give_to_user(watched)
    up(world, watched, "--recreate")
    script = "rm -f trees/two/.git; echo gitdir: ../../evil > trees/two/.git"
    assert world.run("exec", "-n", "--", "sh", "-c", script, cwd=watched).returncode != 0
    assert state(api, watched) == "running"


def test_a_submodule_that_takes_long_to_fetch_halts_before_git_works_in_it(
    world: World, api: Engine, watched: Path, library: Path, tmp_path: Path
) -> None:
    """Git on the host makes its file `.git` first, and goes into it by that when all is fetched."""
    ran = tmp_path / "ran"
    evil = watched / "evil"
    git(watched, "clone", "-q", str(library), "evil")
    git(evil, "config", "core.fsmonitor", f"touch {ran}; false")
    (evil / ".git/hooks/post-checkout").write_text(f"#!/bin/sh\ntouch {ran}\n")
    (evil / ".git/hooks/post-checkout").chmod(0o755)
    sandboxes.give_to_user(evil)
    lead = "[ -e lib/.git ] && echo gitdir: ../evil/.git > lib/.git"
    attack(api, watched, f"touch evil/ready; while :; do {lead}; done 2>/dev/null")
    eventually((evil / "ready").exists)
    transport = tmp_path / "ssh"
    transport.write_text(
        f"#!/bin/sh\nuntil [ -e {tmp_path}/halted ]; do sleep 0.1; done\n"
        'for last; do :; done; exec sh -c "$last"\n'
    )
    transport.chmod(0o755)
    adding = threading.Thread(
        target=git,
        args=(watched, "submodule", "add", f"ssh://host{library}", "lib"),
        kwargs={"check": False, "GIT_SSH_COMMAND": str(transport)},
    )
    adding.start()
    try:
        halt = halt_of(world, watched)
        eventually(lambda: state(api, watched) == "paused", world.log)
    finally:
        (tmp_path / "halted").touch()
        adding.join()
    assert (halt.entries[0].path, halt.entries[0].what) == ("lib", What.ADDED)
    assert "adds the submodule `lib`" in world.run("exec", "-n", "true", cwd=watched).stderr
    git(watched, "status")
    assert (watched / "lib/lib.py").exists() and not ran.exists()


def test_more_than_can_be_pinned_are_said_at_the_start_and_halt_nothing(
    world: World, api: Engine, repository: Path, library: Path
) -> None:
    oid = git(library, "rev-parse", "HEAD").strip()
    _name(repository, oid, *(f"lib-{number:02}" for number in range(40)))
    sandboxes.give_to_user(repository)
    for _ in watch(world, repository):
        assert "too many submodules" in world.run("explain-plan", "--all", cwd=repository).stdout
        _name(repository, oid, "lib-99")
        # Seen after it: the events come in order.
        (repository / ".envrc").unlink()
        assert [entry.path for entry in halt_of(world, repository).entries] == [".envrc"]


def test_without_a_daemon_each_command_says_so_and_the_next_one_inside_halts(
    world: World, api: Engine, repository: Path
) -> None:
    up(world, repository, "--no-daemon")
    git(repository, "checkout", "-q", "more")
    try:
        words = "git on the host goes into `lib/.git` since the start"
        for command in ("status", "drift"):
            done = world.run(command, cwd=repository)
            assert words in done.stdout.splitlines()[0], (command, done.stdout)
        assert "sandboxd up --recreate" in done.stderr + done.stdout
        done = world.run("verify", cwd=repository)
        assert done.returncode == EXIT_NOT_HELD and words in done.stderr
        (row,) = json.loads(world.run("status", "--json", cwd=repository).stdout)["projects"]
        assert [pin["name"] for pin in row["lost_pins"]] == ["lib/.git"]
        done = world.run("exec", "-n", "true", cwd=repository)
        assert done.returncode == 4 and "halted" in done.stderr, done.stderr
        assert state(api, repository) == "paused"
    finally:
        world.run("down", "--discard", cwd=repository)
