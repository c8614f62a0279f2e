"""Images that `up` builds: from a Dockerfile and with Features, once that content is trusted."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes
from tests.e2e.sandboxes import make_project

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def folder(engine: str, api: Engine, tmp_path: Path, busybox_image: str) -> Iterator[Path]:
    """A project whose image is made from a Dockerfile that copies a file."""
    path = make_project(tmp_path / "built here", busybox_image, "runc")
    (path / "sandboxd.toml").write_text('runtime = "runc"\n')
    sandboxes.grant(path)
    (path / ".devcontainer/devcontainer.json").write_text(
        json.dumps({"build": {"dockerfile": "Dockerfile", "context": "..", "args": {"WHO": "ed"}}})
    )
    (path / ".devcontainer/Dockerfile").write_text(
        f"FROM {busybox_image}\nARG WHO\nCOPY main.py /copied\nRUN echo built for $WHO >/built\n"
    )
    yield path
    sandboxes.run(engine, path, "down")
    assert api.containers(f"{PROJECT}={path}") == []
    docker = ["docker", "-H", engine]
    form = "--format={{.Repository}}:{{.Tag}}"
    listing = [*docker, "images", form, "sandboxd-built/built-here"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    if names:
        # Another run on this engine would find them, and ask for no grant.
        subprocess.run([*docker, "image", "rm", "-f", *names], capture_output=True, check=True)


def test_a_build_is_run_only_as_it_was_trusted(engine: str, folder: Path) -> None:
    refused = sandboxes.run(engine, folder, "up")
    assert refused.returncode == 2
    assert "the image is built from `.devcontainer/Dockerfile`" in refused.stderr
    assert "`sandboxd trust add`" in refused.stderr

    trusted = sandboxes.run(engine, folder, "trust", "add", "--yes")
    assert trusted.returncode == 0, trusted.stderr
    assert "reads: `main.py`, 15 bytes" in " ".join(trusted.stderr.split())
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 0, done.stderr
    assert "the engine's builder runs it outside of the runtime" in " ".join(done.stderr.split())
    inside = sandboxes.run(engine, folder, "exec", "-n", "cat", "/built", "/copied")
    assert inside.stdout == "built for ed\nprint('hello')\n"
    again = sandboxes.run(engine, folder, "up")
    assert "already running" in again.stderr
    assert "building" not in again.stderr
    assert sandboxes.run(engine, folder, "drift").returncode == 0

    (folder / "main.py").write_text("print('changed')\n")
    assert sandboxes.run(engine, folder, "drift").returncode == 6
    refused = sandboxes.run(engine, folder, "up")
    assert refused.returncode == 2
    assert "`sandboxd trust add`" in refused.stderr
    assert "void" in sandboxes.run(engine, folder, "trust", "list").stdout


def test_a_build_that_fails_says_what_the_builder_says(engine: str, folder: Path) -> None:
    file = folder / ".devcontainer/Dockerfile"
    file.write_text(f"{file.read_text()}RUN echo no such luck; exit 3\n")
    assert sandboxes.run(engine, folder, "trust", "add", "--yes").returncode == 0
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 4
    lines = done.stderr.splitlines()
    assert "build | no such luck" in lines
    (error,) = [line for line in lines if line.startswith("error: ")]
    assert error.startswith("error: the build failed with exit code ")
    assert " at `RUN echo no such luck; exit 3` (" in error
    assert "hint:" in done.stderr


@pytest.mark.node
def test_features_are_put_on_and_widen_nothing(engine: str, api: Engine, folder: Path) -> None:
    feature = folder / ".devcontainer/hello"
    feature.mkdir()
    (feature / "devcontainer-feature.json").write_text(
        json.dumps(
            {
                "id": "hello",
                "version": "1.0.0",
                "name": "Hello",
                "options": {"to": {"type": "string", "default": "you"}},
                "containerEnv": {"FROM_FEATURE": "yes"},
                "privileged": True,
            }
        )
    )
    (feature / "install.sh").write_text('#!/bin/sh\necho "hello $TO" >/hello\n')
    config = json.loads((folder / ".devcontainer/devcontainer.json").read_text())
    config["features"] = {"./hello": {"to": "ed"}}
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    assert sandboxes.run(engine, folder, "trust", "add", "--yes").returncode == 0
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 0, done.stderr
    script = "cat /built /hello; echo $FROM_FEATURE"
    inside = sandboxes.run(engine, folder, "exec", "-n", "sh", "-c", script)
    assert inside.stdout == "built for ed\nhello ed\nyes\n"
    inspected = api.inspect(api.containers(f"{PROJECT}={folder}")[0].id)
    assert inspected["HostConfig"]["Privileged"] is False
    assert inspected["HostConfig"]["CapDrop"] == ["ALL"]


@pytest.mark.node
def test_a_feature_that_cannot_be_installed_is_named_with_its_last_words(
    engine: str, folder: Path
) -> None:
    feature = folder / ".devcontainer/hello"
    feature.mkdir()
    about = {"id": "hello", "version": "1.0.0", "name": "Hello"}
    (feature / "devcontainer-feature.json").write_text(json.dumps(about))
    (feature / "install.sh").write_text("#!/bin/sh\necho there is no such package\nexit 7\n")
    config = json.loads((folder / ".devcontainer/devcontainer.json").read_text())
    config["features"] = {"./hello": {}}
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    assert sandboxes.run(engine, folder, "trust", "add", "--yes").returncode == 0
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 4
    assert "build | there is no such package" in done.stderr.splitlines()
    assert " at the installation of the Feature `" in done.stderr
