"""An image that brings device files into a volume: gVisor of before August 2026 opens them on the host."""

from __future__ import annotations

import json
import secrets
import subprocess
from pathlib import Path

import pytest

from sandboxd.backends.docker import image_nodes
from sandboxd.engine.client import Engine
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def test_an_image_with_a_device_file_does_not_start_under_gvisor(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str, runtime: str
) -> None:
    tag = f"sandboxd-test-nodes:{secrets.token_hex(6)}"

    def docker(*words: str) -> str:
        done = subprocess.run(
            ["docker", "--host", engine, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with image_nodes.image(api, busybox_image) as (image, folder):
        container = docker("create", image, "none")
        docker("commit", "--change", f"VOLUME {folder}", container, tag)
        docker("rm", "-v", container)
        try:
            project = sandboxes.make_project(tmp_path / "w", tag, runtime)
            done = sandboxes.run(engine, project, "up", "--allow-runc")
            if runtime == "gvisor":
                assert done.returncode == 4
                assert "the image brings the device file" in done.stderr
            else:
                assert done.returncode == 0, done.stderr
        finally:
            assert sandboxes.run(engine, project, "down").returncode == 0
            docker("rmi", "-f", tag)


def test_only_under_gvisor_an_empty_volume_of_the_project_stays_empty(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str, runtime: str
) -> None:
    """Docker fills an empty volume at each start, not at the first alone: with what a later image has."""
    project = sandboxes.make_project(tmp_path / "w", busybox_image, runtime)
    config = project / "sandboxd.toml"

    def up() -> None:
        done = sandboxes.run(engine, project, "up", "--allow-runc")
        assert done.returncode == 0, done.stderr

    with image_nodes.image(api, busybox_image) as (image, folder):
        mounts = {"mounts": [f"source=data,target={folder},type=volume"]}
        (project / ".devcontainer/devcontainer.json").write_text(json.dumps(mounts))
        try:
            up()
            assert sandboxes.run(engine, project, "down").returncode == 0
            config.write_text(config.read_text().replace(busybox_image, image))
            up()
            listed = sandboxes.run(engine, project, "exec", "--", "ls", "-A", folder)
            assert listed.returncode == 0, listed.stderr
            # runc opens no device that the engine did not allow: there Docker fills it.
            assert (listed.stdout == "") == (runtime == "gvisor")
        finally:
            assert sandboxes.run(engine, project, "down").returncode == 0
