"""An image whose label loosens what a dev container tool starts: named, and the remedy that is printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import devcontainer_cli, sandboxes
from tests.e2e.sandboxes import make_project

LABEL = [{"privileged": True, "securityOpt": ["seccomp=unconfined"], "remoteUser": "root"}]

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def folder(engine: str, api: Engine, tmp_path: Path, busybox_image: str) -> Iterator[Path]:
    """A project with an image that makes its containers privileged."""
    text = f"FROM {busybox_image}\nLABEL devcontainer.metadata={json.dumps(json.dumps(LABEL))}\n"
    build = ["docker", "-H", engine, "build", "-t", "sandboxd-test/loose:1", "-"]
    subprocess.run(build, input=text, text=True, check=True, capture_output=True)
    yield make_project(tmp_path / "labelled", "sandboxd-test/loose:1", "runc")
    for container in api.containers(f"{PROJECT}={tmp_path / 'labelled'}"):
        api.remove(container.id)


def started_by_cli(engine: str, api: Engine, folder: Path) -> dict[str, object]:
    """HostConfig of the container that the dev container CLI makes of the generated file."""
    generated = sandboxes.run(engine, folder, "generate")
    assert generated.returncode == 0, generated.stderr
    words = [devcontainer_cli.program(), "up", f"--workspace-folder={folder}"]
    words += [f"--config={folder}/.devcontainer/sandboxd/devcontainer.json"]
    subprocess.run(
        [*words, "--remove-existing-container"],
        env={**os.environ, "DOCKER_HOST": engine},
        check=True,
        capture_output=True,
        timeout=300,
    )
    (container,) = api.containers(f"{PROJECT}={folder}")
    config: dict[str, object] = api.inspect(container.id)["HostConfig"]
    return config


def test_the_label_goes_around_the_plan_until_the_image_is_made_plain(
    engine: str, api: Engine, folder: Path
) -> None:
    up = sandboxes.run(engine, folder, "up")
    assert up.returncode == 0, up.stderr
    shown = " ".join(up.stderr.split())
    assert "brings `privileged: true`, `securityOpt: seccomp=unconfined`" in shown
    (container,) = api.containers(f"{PROJECT}={folder}")
    assert api.inspect(container.id)["HostConfig"]["Privileged"] is False
    assert sandboxes.run(engine, folder, "down").returncode == 0

    assert started_by_cli(engine, api, folder)["Privileged"] is True

    remedy = re.search(r"hint: `(printf .*)`, then `image = \"(.*?)\"`", shown)
    assert remedy is not None
    command = remedy[1].replace("docker build", f"docker -H {engine} build")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    config = folder / "sandboxd.toml"
    config.write_text(config.read_text().replace("sandboxd-test/loose:1", remedy[2]))
    sandboxes.grant(folder)
    plain = started_by_cli(engine, api, folder)
    assert plain["Privileged"] is False
    assert not any("unconfined" in option for option in plain["SecurityOpt"])  # type: ignore[attr-defined]
