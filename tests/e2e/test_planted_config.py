"""A devcontainer.json that a sandbox plants: the real dev container CLI on the host must not run it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.host.facts import HostFacts
from tests.e2e import devcontainer_cli, sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.usefixtures("shared_cache")]

NAMES = (
    ".devcontainer.json",
    ".devcontainer/devcontainer.json",
    ".devcontainer/x/devcontainer.json",
)


@pytest.fixture
def plain(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    """A project without a devcontainer.json."""
    root = tmp_path / "plain"
    root.mkdir()
    (root / "sandboxd.toml").write_text(f'image = "{busybox_image}"\nruntime = "{runtime}"\n')
    sandboxes.give_to_user(root)
    if runtime == "runc":
        sandboxes.grant(root)
    return root


def plant(api: Engine, container: str, image: str, canary: Path) -> None:
    text = json.dumps({"image": image, "initializeCommand": f"touch {canary}"})
    for name in NAMES:
        script = f"mkdir -p $(dirname {name}); rmdir .devcontainer.json; echo '{text}' > {name}"
        run_quietly(api, container, Exec(["sh", "-c", script]))


def reopen(host: str, root: Path) -> str:
    """Start what the CLI sees in the folder, with each config that an editor would offer."""
    output = ""
    for name in ("", *NAMES):
        config = ["--config", str(root / name)] if name and (root / name).is_file() else []
        words = [devcontainer_cli.program(), "up", "--workspace-folder", str(root), *config]
        environ = {**os.environ, "DOCKER_HOST": host}
        done = subprocess.run(
            words, env=environ, capture_output=True, text=True, check=False, timeout=300
        )
        output += done.stdout + done.stderr
    return output


def test_a_planted_config_does_not_run(
    api: Engine, plain: Path, host_facts: HostFacts, busybox_image: str, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    with sandboxes.started(api, plain, host_facts) as container:
        plant(api, container, busybox_image, canary)
        assert "config" in reopen(api.host, plain) and not canary.exists()
    reopen(api.host, plain)
    assert not canary.exists() and [p.name for p in plain.iterdir()] == ["sandboxd.toml"]


@pytest.mark.parametrize("runtime", ["runc"])
def test_without_the_pins_it_would(
    api: Engine, plain: Path, host_facts: HostFacts, busybox_image: str, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    with sandboxes.without_pins(api, plain, host_facts) as container:
        plant(api, container, busybox_image, canary)
    planted = [name for name in NAMES if (plain / name).is_file()]
    assert planted == list(NAMES)
    (plain / ".devcontainer/devcontainer.json").unlink()
    reopen(api.host, plain)
    assert canary.exists()
