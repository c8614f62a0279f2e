"""What an attacker found by which git on the host ran a file that programs inside can write, and how it is shut now.

Each is planted as on a developer's machine, before the start or while the sandbox runs; then the host's real git acts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from tests.e2e import sandboxes
from tests.e2e import watched as steps
from tests.e2e.watched import attack, halt_of, make_repository, state, up, watch
from tests.integration.daemon.world import World
from tests.patience import eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

Plant = Callable[[Path], None]


@pytest.fixture
def repository(world: World, project: Path) -> Iterator[Path]:
    """A project under git; no sandbox yet."""
    yield make_repository(world, project)
    world.run("down", "--discard", cwd=project)


@pytest.fixture
def watched(world: World, project: Path) -> Iterator[Path]:
    """The same, whose sandbox runs and is watched by a daemon."""
    make_repository(world, project)
    _script(project, "scripts/hooks/old", "true")
    _clone(project)
    _finish(world, project)
    yield from watch(world, project)


def _finish(world: World, project: Path) -> None:
    sandboxes.give_to_user(project)
    assert world.run("trust", "add", "--yes", cwd=project).returncode == 0


def git(project: Path, *arguments: str, check: bool = True) -> None:
    """Git of the host's user; what it starts in another repository reads the user's config alone."""
    config = project.parent / "gitconfig-of-the-user"
    config.write_text("[safe]\n\tdirectory = *\n")
    steps.git(project, *arguments, check=check, GIT_CONFIG_GLOBAL=str(config))


def _script(project: Path, path: str, line: str) -> None:
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_text(f"#!/bin/sh\n{line}\n")
    (project / path).chmod(0o755)


def _clone(project: Path) -> None:
    git(project, "clone", "-q", "--bare", ".", "mirror.git")


def _link_hooks(project: Path) -> None:
    shutil.rmtree(project / ".git/hooks", ignore_errors=True)
    (project / ".git/hooks").symlink_to("../tools/hk")


def _name_hooks(project: Path) -> None:
    git(project, "config", "core.hooksPath", "tools/hk")


def _link_a_hook(project: Path) -> None:
    hook = project / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.symlink_to("../../scripts/hooks/pre-commit")
    _script(project, "scripts/hooks/pre-commit", '. "$(dirname "$(readlink -f "$0")")/_lib.sh"')
    _script(project, "scripts/hooks/_lib.sh", "true")


def _link_config(project: Path) -> None:
    (project / ".git/config").rename(project / "gitconfig")
    os.chmod(project / "gitconfig", 0o666)
    (project / ".git/config").symlink_to("../gitconfig")


def _add_remote(project: Path) -> None:
    git(project, "remote", "add", "mirror", "./mirror.git")


def _name_remote_of_branch(project: Path) -> None:
    git(project, "config", "branch.main.remote", "./mirror.git")


def _name_no_remote(project: Path) -> None:
    git(project, "config", "branch.main.remote", "mirror")


def _keep_remote_in_a_file(project: Path) -> None:
    (project / ".git/remotes").mkdir()
    (project / ".git/remotes/mirror").write_text("URL: ./mirror.git\n")


def _clone_and_keep_in_a_file(project: Path) -> None:
    _clone(project)
    _keep_remote_in_a_file(project)


def _clone_and_name_none(project: Path) -> None:
    _clone(project)
    _name_no_remote(project)


def _name_the_top(project: Path) -> None:
    git(project, "config", "core.hooksPath", ".")


def _name_hooks_upwards(project: Path) -> None:
    (project / "a").mkdir()
    _script(project, "hk/readme", "true")
    git(project, "config", "core.hooksPath", "a/../hk")


def _reach_a_script(project: Path) -> None:
    git(project, "config", "core.hooksPath", "hk")
    _script(project, "hk/pre-commit", '. "$(dirname -- "$0")/../tools/check.sh"')
    _script(project, "tools/check.sh", "true")


def _name_behind_an_option(project: Path) -> None:
    git(project, "config", "core.fsmonitor", "env --split-string=tools/check.sh")
    _script(project, "tools/check.sh", "true")


def _name_in_an_alias(project: Path) -> None:
    git(project, "config", "alias.s", "-c core.fsmonitor=tools/check.sh status")
    _script(project, "tools/check.sh", "true")


def _keep_hooks_outside(project: Path) -> None:
    git(project, "config", "core.hooksPath", str(project.parent / "hooks-of-the-user"))
    _script(project, "../hooks-of-the-user/pre-commit", ". tools/check.sh")
    _script(project, "tools/check.sh", "true")


def _keep_hooks_in_git(project: Path) -> None:
    git(project, "config", "core.hooksPath", ".git/own")
    _script(project, ".git/own/pre-commit", ". tools/check.sh")
    _script(project, "tools/check.sh", "true")


def _add_a_work_tree(project: Path) -> None:
    git(project, "worktree", "add", "-q", "linked")
    _script(project, ".git/hooks/pre-commit", ". tools/check.sh")
    _script(project, "linked/tools/check.sh", "true")


def _add_a_submodule(project: Path) -> None:
    git(project, "clone", "-q", ".", "../other")
    source = str(project.parent / "other")
    git(project, "-c", "protocol.file.allow=always", "submodule", "-q", "add", source, "linked")
    _script(project, ".git/modules/linked/hooks/pre-commit", ". tools/check.sh")
    _script(project, "linked/tools/check.sh", "true")


def _husky(project: Path) -> None:
    """As husky 9 leaves a project in a folder below the top."""
    git(project, "config", "core.hooksPath", "frontend/.husky/_")
    _script(project, "frontend/.husky/_/pre-commit", '. "$(dirname "$0")/h"')
    _script(project, "frontend/.husky/_/h", 'sh "$(dirname "$(dirname "$0")")/${0##*/}"')
    _script(project, "frontend/.husky/pre-commit", "true")


def _install_a_hook(project: Path) -> None:
    _script(project, ".git/hooks/pre-commit", "sh tools/check.sh")


def _lead_a_remote_here(project: Path) -> None:
    git(project, "config", "url../.pushInsteadOf", "forge:")
    git(project, "remote", "add", "mirror", "forge:mirror.git")


def _clone_and_lead_here(project: Path) -> None:
    _clone(project)
    _lead_a_remote_here(project)


def _name_another_work_tree(project: Path) -> None:
    (project / "sub").mkdir()
    git(project, "config", "core.hooksPath", "hk")
    git(project, "config", "core.worktree", "../sub")


def _clone_and_add(project: Path) -> None:
    _clone(project)
    _add_remote(project)


def _hook(path: str, ran: Path) -> str:
    """The script by which a program inside makes a hook."""
    folder = os.path.dirname(path)
    return f"mkdir -p {folder}; printf '#!/bin/sh\\ntouch {ran}\\n' > {path}; chmod 755 {path}"


def _link_to_hook(_: str, ran: Path) -> str:
    """The script by which a program inside has `a/..` lead to a folder of its own."""
    hook = _hook("evil/hk/pre-commit", ran)
    return f"rmdir a; mkdir -p evil/sub; ln -s evil/sub a; {hook}"


def _setting(path: str, ran: Path) -> str:
    return f"[ ! -e {path} ] || printf '[core]\\n\\tfsmonitor = touch {ran}; false\\n' >> {path}"


def _line(path: str, ran: Path) -> str:
    return f"echo 'touch {ran}' >> {path}"


def _act(project: Path) -> None:
    """What a developer does next."""
    git(project, "status", check=False)
    git(project, "s", check=False)
    git(project, "commit", "-q", "--allow-empty", "-m", "x", check=False)
    git(project, "-C", "linked", "commit", "-q", "--allow-empty", "-m", "x", check=False)
    git(project, "push", "-q", "mirror", "main", check=False)
    git(project, "push", "-q", "./mirror.git", "main", check=False)


Inside = tuple[Callable[[str, Path], str], str]

BEFORE: dict[str, tuple[Plant, Inside]] = {
    "hooks-behind-a-link": (_link_hooks, (_hook, "tools/hk/pre-commit")),
    "a-folder-of-hooks": (_name_hooks, (_hook, "tools/hk/pre-commit")),
    "what-a-linked-hook-reads": (_link_a_hook, (_line, "scripts/hooks/_lib.sh")),
    "config-behind-a-link": (_link_config, (_setting, "gitconfig")),
    "remote": (_clone_and_add, (_hook, "mirror.git/hooks/post-update")),
    "remote-by-another-setting": (_clone_and_lead_here, (_hook, "mirror.git/hooks/post-update")),
    "remote-in-a-file": (_clone_and_keep_in_a_file, (_hook, "mirror.git/hooks/post-update")),
    "no-remote-of-that-name": (_clone_and_name_none, (_hook, "mirror.git/hooks/post-update")),
    "hooks-upwards": (_name_hooks_upwards, (_link_to_hook, "a/../hk/pre-commit")),
    "what-a-hook-reaches": (_reach_a_script, (_line, "tools/check.sh")),
    "behind-an-option": (_name_behind_an_option, (_line, "tools/check.sh")),
    "in-an-alias": (_name_in_an_alias, (_line, "tools/check.sh")),
    "hooks-outside": (_keep_hooks_outside, (_line, "tools/check.sh")),
    "hooks-in-git": (_keep_hooks_in_git, (_line, "tools/check.sh")),
    "hooks-in-a-work-tree": (_add_a_work_tree, (_line, "linked/tools/check.sh")),
    "hooks-of-a-submodule": (_add_a_submodule, (_line, "linked/tools/check.sh")),
    "hooks-of-husky": (_husky, (_line, "frontend/.husky/pre-commit")),
    "another-work-tree": (_name_another_work_tree, (_hook, "sub/hk/pre-commit")),
}
WHILE = {
    "hooks-behind-a-link": (_link_hooks, (_hook, "tools/hk/pre-commit")),
    "config-behind-a-link": (_link_config, (_setting, "gitconfig")),
    "remote": (_add_remote, (_hook, "mirror.git/hooks/post-update")),
    "remote-by-another-setting": (_lead_a_remote_here, (_hook, "mirror.git/hooks/post-update")),
    "in-an-alias": (_name_in_an_alias, (_line, "tools/check.sh")),
    "hooks-outside": (_keep_hooks_outside, (_line, "tools/check.sh")),
    "what-a-new-hook-runs": (_install_a_hook, (_hook, "tools/check.sh")),
    "remote-in-a-file": (_keep_remote_in_a_file, (_hook, "mirror.git/hooks/post-update")),
    "no-remote-of-that-name": (_name_no_remote, (_hook, "mirror.git/hooks/post-update")),
    "hooks-at-the-top": (_name_the_top, (_hook, "pre-commit")),
    "remote-of-a-branch": (_name_remote_of_branch, (_hook, "mirror.git/hooks/post-update")),
}


@pytest.mark.parametrize("case", BEFORE.values(), ids=BEFORE)
def test_what_git_on_the_host_runs_is_shut_from_the_start(
    world: World, repository: Path, tmp_path: Path, case: tuple[Plant, Inside]
) -> None:
    plant, (write, path) = case
    ran = tmp_path / "ran"
    plant(repository)
    _finish(world, repository)
    told = up(world, repository)
    script = write(path, ran)
    done = world.run("exec", "-n", "--", "sh", "-c", script, cwd=repository)
    _act(repository)
    # A gVisor that keeps what it wrote open for writing has the host refuse to run it, by chance (`Text file busy`).
    file = repository / path
    assert not file.is_file() or str(ran) not in file.read_text(), done.stderr
    assert not ran.exists(), (
        told,
        done.stderr,
        world.run("status", "--all", cwd=repository).stdout,
    )
    # The test plants what git would run: without a sandbox it does.
    world.run("down", "--discard", cwd=repository)
    subprocess.run(["sh", "-c", script], cwd=repository, check=True)
    _act(repository)
    assert ran.exists()


@pytest.mark.parametrize("case", WHILE.values(), ids=WHILE)
def test_what_git_on_the_host_comes_to_run_halts_and_is_put_aside(
    world: World, api: Engine, watched: Path, tmp_path: Path, case: tuple[Plant, Inside]
) -> None:
    plant, (write, path) = case
    ran = tmp_path / "ran"
    attack(api, watched, f"while :; do {write(path, ran)}; touch wrote; sleep 0.05; done")
    eventually((watched / "wrote").exists, world.log)
    assert state(api, watched) == "running"
    plant(watched)
    halt_of(world, watched)
    eventually(lambda: state(api, watched) == "paused", world.log)
    _act(watched)
    assert not ran.exists(), world.run("status", cwd=watched).stdout


def test_a_copy_of_gits_folder_by_hard_links_halts_and_the_next_start_parts_it(
    world: World, api: Engine, watched: Path, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    subprocess.run(["cp", "-al", ".git", "copy"], cwd=watched, check=True)
    halt = halt_of(world, watched)
    assert ".git/config" in [entry.path for entry in halt.entries]
    eventually(lambda: state(api, watched) == "paused", world.log)
    done = world.run("up", "--recreate", cwd=watched)
    assert done.returncode == 0 and "`.git/config` had a second name" in done.stderr, done.stderr
    script = _setting("copy/config", ran)
    assert world.run("exec", "-n", "--", "sh", "-c", script, cwd=watched).returncode == 0
    _act(watched)
    assert str(ran) in (watched / "copy/config").read_text() and not ran.exists()


def test_a_tracked_control_file_that_is_missing_at_the_start_halts_when_it_comes(
    world: World, api: Engine, project: Path
) -> None:
    make_repository(world, project)
    (project / ".envrc").unlink()
    for _ in watch(world, project):
        # As a whole: it may be halted before anything is written into a new file.
        plant = "echo 'touch /tmp/EVIL' > new; mv new .envrc"
        attack(api, project, f"while :; do {plant}; sleep 0.05; done")
        halt = halt_of(world, project)
        assert ".envrc" in [entry.path for entry in halt.entries]
        eventually(lambda: state(api, project) == "paused", world.log)
        assert not (project / ".envrc").exists()
        assert "EVIL" in (project / ".envrc.halted").read_text()
