"""Missing control folders: made and pinned at `up`, gone after `down`, whatever happens between."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.host.facts import HostFacts
from sandboxd.life import up_down
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def bare(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    """A repository with none of the control folders but `.git`."""
    root = tmp_path / "bare"
    (root / ".git").mkdir(parents=True)
    (root / ".git/config").write_text("[core]\n")
    (root / "sandboxd.toml").write_text(f'image = "{busybox_image}"\nruntime = "{runtime}"\n')
    for path in (root, *root.rglob("*")):
        os.chown(path, 1000, 1000)
    return root


def test_up_pins_what_is_missing_and_down_takes_it_away(
    api: Engine, bare: Path, host_facts: HostFacts
) -> None:
    before = sandboxes.tree(bare)
    plan = sandboxes.plan_of(bare, host_facts)
    assert set(plan.stubs) == {
        ".devcontainer", ".devcontainer.json", ".vscode", "commondir",
    }  # fmt: skip
    running = sandboxes.up(api, plan, lambda _: None)
    try:
        assert (bare / ".vscode").stat().st_uid == 1000
        attack = (
            "echo x > .vscode/tasks.json; mv .vscode v; mv .git g; echo x > .git/hooks/pre-commit;"
            "echo ../evil > .git/commondir; rm -f .git/commondir; mv .git/config .git/commondir"
        )
        run_quietly(api, running.id, Exec(["sh", "-c", attack]))
        assert sorted(path.name for path in (bare / ".git").iterdir()) == ["config"]
        # Nothing differs for the next `up`, although the folders are there now.
        again = sandboxes.up(api, sandboxes.plan_of(bare, host_facts), lambda _: None)
        assert again.how == "already running"
        assert list((bare / ".vscode").iterdir()) == []
    finally:
        up_down.down(api, str(bare), lambda _: None)
    assert sandboxes.tree(bare) == before


def test_git_on_the_host_shows_none_of_them(api: Engine, bare: Path, host_facts: HostFacts) -> None:
    shutil.rmtree(bare / ".git")
    as_owner: dict[str, Any] = {"user": 1000, "group": 1000, "extra_groups": []}
    sandboxes.open_to_user(bare)

    def git(*words: str) -> str:
        command = ["git", "-C", str(bare), *words]
        return str(subprocess.check_output(command, text=True, **as_owner))

    git("init", "-q")
    before = git("status", "--porcelain", "--untracked-files=all", "--ignored")
    sandboxes.up(api, sandboxes.plan_of(bare, host_facts), lambda _: None)
    try:
        assert (bare / ".vscode").is_dir() and (bare / "commondir").is_dir()
        assert git("status", "--porcelain", "--untracked-files=all", "--ignored") == before
        git("add", "-A")
        assert git("diff", "--cached", "--name-only").split() == ["sandboxd.toml"]
    finally:
        up_down.down(api, str(bare), lambda _: None)
    assert sorted(path.name for path in bare.iterdir()) == [".git", "sandboxd.toml"]


def test_what_was_put_into_one_stays(api: Engine, bare: Path, host_facts: HostFacts) -> None:
    sandboxes.up(api, sandboxes.plan_of(bare, host_facts), lambda _: None)
    (bare / ".vscode/settings.json").write_text("{}")
    # Another plan: the new container takes over which folders are ours.
    with (bare / "sandboxd.toml").open("a") as config:
        config.write('[environment]\nA = "b"\n')
    replaced = sandboxes.up(api, sandboxes.plan_of(bare, host_facts), lambda _: None)
    assert replaced.how == "recreated"
    up_down.down(api, str(bare), lambda _: None)
    assert (bare / ".vscode/settings.json").exists()
    assert not (bare / ".devcontainer").exists()


def test_a_failed_start_leaves_no_folder(api: Engine, bare: Path, host_facts: HostFacts) -> None:
    before = sandboxes.tree(bare)
    plan = sandboxes.plan_of(bare, host_facts)
    broken = plan._replace(container=plan.container._replace(command=("/no/such/program",)))
    with pytest.raises(Exception, match="no/such/program"):
        sandboxes.up(api, broken, lambda _: None)
    assert sandboxes.tree(bare) == before
