"""Generated files name the addresses of the network that is there, or the user is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life import networks
from sandboxd.operations.gateway import end_unused
from sandboxd.plan.inner_network import RESOLV_FILE
from sandboxd.project import Project
from sandboxd.state.subnets import subnet_of
from tests.e2e import sandboxes
from tests.e2e.taken_addresses import taken

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, own_home: Path, api: Engine) -> Iterator[Project]:
    root = sandboxes.make_project(tmp_path / "w", busybox_image, "runc")
    (root / ".devcontainer/devcontainer.json").unlink()
    try:
        yield Project.open(str(root), os.environ)
    finally:
        sandboxes.run(api.host, root, "down")
        end_unused(api, str(root), os.environ, forget=True)


def run(project: Project, api: Engine, command: str) -> str:
    """What the command tells its user; no daemon runs."""
    done = sandboxes.run(api.host, Path(project.workspace), command)
    assert done.returncode == 0, done.stderr
    return str(done.stderr)


def check_files(project: Project, api: Engine) -> None:
    """The generated files name the gateway of the network that is there."""
    pair = networks.pair_of(api, project.workspace)
    assert pair is not None
    text = Path(project.workspace, RESOLV_FILE).read_text()
    assert f"nameserver {pair.inner.addresses.gateway}\n" in text


def test_files_name_the_subnet_that_the_engine_gave(project: Project, api: Engine) -> None:
    asked_for = subnet_of(os.environ, project.workspace)
    with taken(api, asked_for):
        run(project, api, "generate")
        assert subnet_of(os.environ, project.workspace) != asked_for
        check_files(project, api)
        assert "`sandboxd generate`" not in run(project, api, "up")
        check_files(project, api)


def test_a_start_says_that_the_network_has_other_addresses(project: Project, api: Engine) -> None:
    """The network was removed, and its addresses went to somebody else."""
    run(project, api, "generate")
    lost = networks.pair_of(api, project.workspace)
    assert lost is not None and api.remove_network(lost.inner.id)
    with taken(api, lost.inner.addresses.subnet):
        assert "`sandboxd generate`" in run(project, api, "up")
        run(project, api, "generate")
        check_files(project, api)
