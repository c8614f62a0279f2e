"""A repository that a program inside makes where the host has none: the host's git must not run what its config names,
once the host has put an empty folder there.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.host.facts import HostFacts
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

PLANT = """
rmdir .git; mv .git .away; mkdir -p .git/objects .git/refs
echo 'ref: refs/heads/main' > .git/HEAD
printf '[core]\\n\\tfsmonitor = touch CANARY; false\\n' > .git/config
"""


@pytest.fixture
def plain(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    """A project without a repository."""
    root = tmp_path / "plain"
    root.mkdir()
    (root / "sandboxd.toml").write_text(f'image = "{busybox_image}"\nruntime = "{runtime}"\n')
    return root


def status(folder: Path) -> int:
    """The exit code of `git status` on the host, as its user."""
    environ = {**os.environ, "GIT_CONFIG_COUNT": "1"}
    environ |= {"GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    words = ["git", "status", "--short"]
    return subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("is_empty_there", [True, False], ids=["empty folder", "nothing"])
def test_git_on_the_host_runs_nothing_of_a_repository_made_inside_where_an_empty_folder_was(
    api: Engine,
    plain: Path,
    runtime: str,
    host_facts: HostFacts,
    tmp_path: Path,
    is_empty_there: bool,
) -> None:
    canary = tmp_path / "canary"
    if is_empty_there:
        (plain / ".git").mkdir()
    sandboxes.give_to_user(plain)
    if runtime == "runc":
        sandboxes.grant(plain)
    with sandboxes.started(api, plain, host_facts) as container:
        script = PLANT.replace("CANARY", str(canary))
        run_quietly(api, container, Exec(["sh", "-c", script]))
        assert (status(plain) != 0) is is_empty_there
    status(plain)
    # Where nothing was there, the attack is seen to work.
    assert canary.exists() is not is_empty_there
    if is_empty_there:
        assert not any((plain / ".git").iterdir())
