"""`up --pull` and `agent --pull`: an image that the engine does not have comes from its registry."""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.verify import listeners
from tests.e2e import sandboxes
from tests.e2e.oci_registry import registry
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


def test_an_image_that_the_registry_does_not_have_is_said_in_its_words(
    engine: str, tmp_path: Path, image: str
) -> None:
    missing = image.removesuffix(":1") + ":2"
    project = sandboxes.make_project(tmp_path / "ws", missing, "runc")
    done = sandboxes.run(engine, project, "up", "--pull")
    assert done.returncode == 4 and f"did not get the image `{missing}`" in done.stderr
    assert "docker login" in done.stderr
