"""An image that calls root by another name gets no root from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

TAG = "sandboxd-test/named:1"


@pytest.fixture
def named(engine: str, busybox_image: str) -> None:
    """Its `evil` and its `１` (a digit to a reader, a name to an engine) are root, `dev` is not.

    The file that says so is behind a link.
    """
    lines = "evil:x:0:0::/:/bin/sh\\n１:x:0:0::/:/bin/sh\\n"
    text = f"FROM {busybox_image}\nRUN printf '{lines}' >>/etc/passwd\n"
    text += "RUN mv /etc/passwd /etc/users && ln -s users /etc/passwd\n"
    docker = ["docker", "-H", engine, "build", "-q", "-t", TAG, "-"]
    subprocess.run(docker, input=text.encode(), check=True, capture_output=True)


@pytest.mark.usefixtures("named")
def test_root_by_another_name_is_refused(engine: str, api: Engine, project: Path) -> None:
    text = (project / "sandboxd.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("image")]

    def up(user: str) -> subprocess.CompletedProcess[str]:
        top = [f'image = "{TAG}"', f'user = "{user}"']
        (project / "sandboxd.toml").write_text("\n".join([*top, *lines, ""]))
        sandboxes.grant(project)
        done: subprocess.CompletedProcess[str] = sandboxes.run(engine, project, "up")
        return done

    for user, why in (
        ("evil", "the image makes `evil` root"),
        ("evil:1000", "the image makes `evil:1000` root"),
        ("１", "the image makes `１` root"),
        (":1000", "`:1000` is root, and profile `dev` does not run as root"),
        ("who", f"the image `{TAG}` has no user `who`"),
    ):
        refused = up(user)
        assert refused.returncode == 2, refused.stderr
        assert why in refused.stderr
        assert 'name another user, or a number, in sandboxd.toml: `user = "1000:1000"`' in (
            refused.stderr
        )
        assert api.containers(f"{PROJECT}={project}") == []
    try:
        assert up("dev").returncode == 0
        shown = sandboxes.run(engine, project, "exec", "-n", "id", "-u")
        assert shown.stdout == "1000\n"
    finally:
        sandboxes.run(engine, project, "down")
