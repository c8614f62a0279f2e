"""Fixtures of a page whose sandboxes reach an internet of its own: an engine, what lies behind it, a base image.

A page imports those that it uses, and names in `NAMES` what resolves there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandboxd.engine.client import Engine, connect_from
from sandboxd.host.facts import HostFacts
from sandboxd.model.labels import GATEWAY, PROJECT, SERVICE
from sandboxd.verify import listeners
from tests.e2e import outside, sandboxes
from tests.e2e.outside import Outside
from tools.engine import private
from tools.private_engine import import_busybox_image

PROXIES = "http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY"
PLAIN = f"unset {PROXIES}; "


@pytest.fixture(scope="module")
def private_engine(request: pytest.FixtureRequest, own_engines: None) -> Iterator[private.Engine]:
    """An engine of this page's own, whose only way out leads to `internet`.

    The page's `ENGINE_ARGUMENTS`, where it has them, are the engine's, too.
    """
    name = request.module.__name__.rpartition("test_")[2].replace("_", "-")
    started = private.start(
        f"{name}-{os.getpid()}",
        owner=os.getpid(),
        arguments=[f"--dns={outside.ADDRESS}", *getattr(request.module, "ENGINE_ARGUMENTS", ())],
    )
    try:
        yield started
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="module")
def engine(private_engine: private.Engine) -> str:
    return private_engine.docker_host


@pytest.fixture(scope="module")
def internet(request: pytest.FixtureRequest, engine: str) -> Iterator[Outside]:
    with outside.outside(listeners.engine_pid(engine)) as served:
        served.names.update(request.module.NAMES)
        yield served


@pytest.fixture(scope="module")
def host_facts(engine: str) -> HostFacts:
    return sandboxes.facts_of(engine)


@pytest.fixture(scope="module")
def busybox_image(engine: str) -> str:
    return import_busybox_image(engine)


@pytest.fixture(params=["runc", "gvisor"])
def runtime(request: pytest.FixtureRequest, engine: str) -> str:
    """A value of `runtime` in sandboxd.toml, of this page's engine."""
    runtimes = connect_from({"DOCKER_HOST": engine}).info()["Runtimes"]
    if request.param == "gvisor" and "runsc-sandboxd" not in runtimes:
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    return str(request.param)


def left(api: Engine) -> list[str]:
    """Names of the sandboxes, services and gateways that are there."""
    labels = (PROJECT, GATEWAY, SERVICE)
    return [each.name for label in labels for each in api.containers(label)]
