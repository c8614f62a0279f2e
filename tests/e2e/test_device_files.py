"""An image that brings device files into a volume: gVisor of before August 2026 opens them on the host."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.verify import image_nodes
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def test_it_does_not_start_under_gvisor(
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
