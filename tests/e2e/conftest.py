"""What the tests of sandboxes share; the engine itself is in the conftest above."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, connect_from
from sandboxd.host.facts import HostFacts
from sandboxd.operations.on_cluster.options import ClusterOptions
from tests.e2e import rich_image, sandboxes
from tests.e2e.kept_sandbox import KeptSandbox
from tests.e2e.rich_image import Rich
from tests.homes import Homes, environ
from tests.integration.daemon.world import World


@pytest.fixture(scope="session")
def host_facts(engine: str) -> HostFacts:
    return sandboxes.facts_of(engine)


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def shared_cache(own_home: Path, _cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cache for all tests: each runtime is tried once, and the interpreter packed once."""
    monkeypatch.setenv("XDG_CACHE_HOME", _cache)


@pytest.fixture
def world(own_home: Path, engine: str, shared_cache: None) -> Iterator[World]:
    """A user of one's own whose engine is the tests'."""
    user = World(own_home)
    user.environ["DOCKER_HOST"] = engine
    user.environ["XDG_CACHE_HOME"] = os.environ["XDG_CACHE_HOME"]
    user.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CONFIG_HOME"]
    try:
        yield user
    finally:
        user.end()


@pytest.fixture(scope="session")
def rich(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Rich:
    """An image with the programs of daily work."""
    return rich_image.build(engine, tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="session")
def trial_image(engine: str, rich: Rich) -> str:
    """The image of gateways on a cluster by its usual name, which a cluster would pull."""
    subprocess.run(
        ["docker", "-H", engine, "tag", rich.image, ClusterOptions().gateway_image], check=True
    )
    return ClusterOptions().gateway_image


@pytest.fixture
def api(engine: str) -> Engine:
    return connect_from({"DOCKER_HOST": engine})


@pytest.fixture(params=["runc", pytest.param("gvisor", marks=pytest.mark.gvisor)])
def runtime(request: pytest.FixtureRequest) -> str:
    """A value of `runtime` in sandboxd.toml: each test runs under both."""
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    return sandboxes.make_project(tmp_path / "my project ü", busybox_image, runtime)


@pytest.fixture(scope="module", params=["runc", pytest.param("gvisor", marks=pytest.mark.gvisor)])
def _kept(
    request: pytest.FixtureRequest,
    engine: str,
    busybox_image: str,
    all_homes: Homes,
    _cache: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[KeptSandbox]:
    if request.param == "gvisor":
        request.getfixturevalue("runsc")
    home = all_homes.take()
    variables = environ(home) | {"XDG_CACHE_HOME": _cache}
    folder = tmp_path_factory.mktemp("kept") / "my project ü"
    project = sandboxes.make_project(folder, busybox_image, request.param, granted=False)
    sandbox = KeptSandbox(engine, project, variables)
    yield sandbox
    with pytest.MonkeyPatch.context() as patch:
        _set(patch, variables)
        sandbox.end()
    all_homes.put_back(home)


@pytest.fixture
def running(_kept: KeptSandbox, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project of a sandbox that runs, by the user whose variables the test has.

    It is one sandbox for all tests of a file that ask for it, each of which may change the project and end the sandbox.
    """
    _set(monkeypatch, _kept.environ)
    _kept.set_back()
    return _kept.project


def _set(patch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        patch.setenv(name, value)
