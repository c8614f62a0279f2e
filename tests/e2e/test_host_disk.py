"""A sandbox that may keep nothing cannot fill the host's disk: not by its log, not by an image's volume."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from sandboxd.backends.docker.attack import verify
from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.model.labels import PROJECT
from sandboxd.plan.writers.engine import arguments
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

LOG_BYTES = 10 << 20


@pytest.fixture
def image_with_volume(engine: str, busybox_image: str) -> str:
    """The busybox image, with a `VOLUME` that every user may write."""
    name = "sandboxd-test/volume:1"
    docker = ["docker", "-H", engine]
    process = subprocess.run(
        [*docker, "create", busybox_image, "true"], capture_output=True, text=True, check=True
    ).stdout.strip()
    tar = subprocess.run([*docker, "export", process], capture_output=True, check=True).stdout
    subprocess.run([*docker, "rm", process], capture_output=True, check=True)
    with tarfile.open(fileobj=(files := io.BytesIO(tar)), mode="a") as archive:
        folder = tarfile.TarInfo("data")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o777
        archive.addfile(folder)
    subprocess.run(
        [*docker, "import", "--change", "VOLUME /data", "-", name],
        input=files.getvalue(),
        capture_output=True,
        check=True,
    )
    return name


@pytest.mark.parametrize("profile", ["review", "untrusted"])
def test_an_image_with_a_volume_is_refused_where_nothing_of_it_may_be_written(
    engine: str, api: Engine, tmp_path: Path, image_with_volume: str, profile: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "w", image_with_volume, "runc", profile)
    answer = sandboxes.run(engine, folder, "up", "--allow-runc")
    assert answer.returncode == 4
    assert "the image keeps `/data` in a volume on the host's disk" in answer.stderr
    assert "type=tmpfs,target=/data" in answer.stderr
    assert api.containers(f"{PROJECT}={folder}") == []
    (folder / ".devcontainer/devcontainer.json").write_text(
        '{"mounts": ["type=tmpfs,target=/data"]}'
    )
    answer = sandboxes.run(engine, folder, "up", "--allow-runc")
    try:
        assert answer.returncode == 0, answer.stderr
    finally:
        sandboxes.run(engine, folder, "down", "--discard")


def test_the_attempt_finds_the_volume_of_an_image(
    api: Engine, host_facts: HostFacts, tmp_path: Path, image_with_volume: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "w", image_with_volume, "runc", "review")
    plan = sandboxes.plan_of(folder, host_facts)
    with sandboxes.container(api, plan) as container:
        results = {result.id: result for result in verify(api, container, plan).results}
    assert results["disk-quota"].outcome == "escaped"
    assert "/data" in results["disk-quota"].evidence


def test_the_attempt_finds_a_log_without_a_limit(
    api: Engine, project: Path, host_facts: HostFacts
) -> None:
    plan = sandboxes.plan_of(project, host_facts)
    with sandboxes.container(api, plan) as container:
        results = {result.id: result.outcome for result in verify(api, container, plan).results}
        assert results["log-flood"] == "held"
    unlimited = sandboxes.host_config(LogConfig={"Type": "json-file", "Config": {}})
    with sandboxes.container(api, plan, unlimited) as container:
        results = {result.id: result.outcome for result in verify(api, container, plan).results}
        assert results["log-flood"] == "escaped"


def test_a_flood_of_output_is_turned_over(
    engine: str, api: Engine, project: Path, host_facts: HostFacts
) -> None:
    """600 MB were on the host's disk before."""
    plan = sandboxes.plan_of(project, host_facts)
    assert arguments(plan)["HostConfig"]["LogConfig"]["Config"] == {"max-size": "10m"}
    with sandboxes.container(api, plan) as container:
        flood = "yes 0123456789012345678901234567890123456789 | head -c 30000000 > /proc/1/fd/1"
        subprocess.run(
            ["docker", "-H", engine, "exec", container, "sh", "-c", flood],
            capture_output=True,
            check=False,
            timeout=300,
        )
        path = Path(api.inspect(container)["LogPath"])
        sizes = [file.stat().st_size for file in path.parent.glob(f"{path.name}*")]
        assert sum(sizes) < 2 * LOG_BYTES
