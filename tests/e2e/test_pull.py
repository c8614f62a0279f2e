"""`up --pull` and `agent --pull`, and the question for them: a missing image comes from its registry."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import platform
import pty
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.ipc import client
from sandboxd.verify import listeners
from tests.e2e import sandboxes
from tests.e2e.oci_registry import registry
from tests.patience import PATIENCE
from tools.engine.image import make_archive
from tools.engine.runtimes import static_busybox

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

_OCI = "application/vnd.oci.image"


def _stored(name: str) -> dict[str, bytes]:
    """What a registry has that has an image of one layer."""
    stored = {}

    def put(what: str, data: bytes, reference: str = "") -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        for each in {reference, digest} - {""}:
            stored[f"{what} {name} {each}"] = data
        return {"digest": digest, "size": len(data)}

    busybox = static_busybox()
    assert busybox is not None
    layer = make_archive(busybox)
    config = {
        "architecture": {"aarch64": "arm64"}.get(platform.machine(), "amd64"),
        "os": "linux",
        "config": {"Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    config_kind, layer_kind = f"{_OCI}.config.v1+json", f"{_OCI}.layer.v1.tar+gzip"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": {"mediaType": config_kind, **put("blobs", json.dumps(config).encode())},
        "layers": [{"mediaType": layer_kind, **put("blobs", gzip.compress(layer))}],
    }
    put("manifests", json.dumps(manifest).encode(), "1")
    return stored


@pytest.fixture
def image(engine: str) -> Iterator[str]:
    """The name of an image that only a registry in the engine's network has."""
    with listeners.network_of(listeners.engine_pid(engine)):
        listener = socket.create_server(("127.0.0.1", 0))
    with registry(_stored("team/shop"), listener) as address:
        yield f"{address}/team/shop:1"


def test_up_gets_the_image_that_is_missing_only_at_the_users_word(
    engine: str, api: Engine, tmp_path: Path, image: str
) -> None:
    project = sandboxes.make_project(tmp_path / "ws", image, "runc")
    refused = sandboxes.run(engine, project, "up")
    assert refused.returncode == 4 and "`--pull`" in refused.stderr, refused.stderr
    done = sandboxes.run(engine, project, "up", "--pull")
    assert done.returncode == 0, done.stderr
    assert f"got `{image}`" in done.stderr
    try:
        assert sandboxes.run(engine, project, "exec", "cat", "main.py").stdout == "print('hello')\n"
        again = sandboxes.run(engine, project, "up", "--pull")
        assert again.returncode == 0 and "got `" not in again.stderr, again.stderr
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0
        api.remove_image(image)


def test_a_person_at_the_terminal_is_asked_for_an_image_that_is_missing(
    engine: str, api: Engine, tmp_path: Path, image: str, own_home: Path
) -> None:
    project = sandboxes.make_project(tmp_path / "ws", image, "runc")
    code, shown = _up_at_a_terminal(engine, project, b"n\n")
    assert code == 4 and f"no image `{image}`" in shown and "got `" not in shown, shown
    # The second time a daemon does it, from which the error has to bring what is asked.
    environ = {**os.environ, "DOCKER_HOST": engine, "PYTHONPATH": str(Path(__file__).parents[2])}
    connection = client.connect(environ, str(own_home), start=True, patience=PATIENCE)
    assert connection is not None
    with connection:
        code, shown = _up_at_a_terminal(engine, project, b"y\n")
    try:
        assert code == 0 and f"got `{image}`" in shown, shown
    finally:
        assert sandboxes.run(engine, project, "down").returncode == 0
        api.remove_image(image)


def _up_at_a_terminal(engine: str, project: Path, answer: bytes) -> tuple[int, str]:
    """The exit code of `up` and all that the terminal shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sandboxd", "up"]
    with subprocess.Popen(
        command,
        cwd=project,
        env={**os.environ, "DOCKER_HOST": engine},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while b"get it from its registry? [y/N]" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, answer)
        with contextlib.suppress(OSError):  # Linux: EIO when the last one has closed the terminal
            while data := os.read(ours, 4096):
                shown += data
    os.close(ours)
    return process.returncode, shown.decode()


def test_an_image_that_the_registry_does_not_have_is_said_in_its_words(
    engine: str, tmp_path: Path, image: str
) -> None:
    missing = image.removesuffix(":1") + ":2"
    project = sandboxes.make_project(tmp_path / "ws", missing, "runc")
    done = sandboxes.run(engine, project, "up", "--pull")
    assert done.returncode == 4 and f"did not get the image `{missing}`" in done.stderr
    assert "docker login" in done.stderr
