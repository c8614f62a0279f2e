"""The probe against a real engine: trials are real, and nothing of them is left."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import docker
import pytest

from sandboxd.host.probe import probe
from tests.patience import eventually

pytestmark = pytest.mark.engine


def environ(engine: str) -> dict[str, str]:
    return os.environ | {"DOCKER_HOST": engine}


def sandboxes(engine: str) -> set[str]:
    """gVisor processes of this engine; other engines may run on the machine, too."""
    folder = os.path.dirname(engine.removeprefix("unix://")).encode()
    names = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        is_gvisor = words[0].endswith((b"runsc-gofer", b"runsc-sandbox"))
        if is_gvisor and any(folder in word for word in words):
            names.add(path.parent.name)
    return names


def test_runc_is_seen_on_the_hosts_kernel_and_nothing_is_left(engine: str) -> None:
    with contextlib.closing(docker.DockerClient(base_url=engine)) as client:
        images = {image.id for image in client.images.list(all=True)}
        facts = probe(environ(engine), trial=True)
        assert {image.id for image in client.images.list(all=True)} == images
        trials = {"label": "dev.sandboxd.trial"}
        assert client.containers.list(all=True, filters=trials) == []
    assert facts.engine is not None and facts.engine.error == ""
    runc = facts.engine.runtime("runc")
    assert runc is not None and (runc.usable, runc.gvisor) == (True, False)
    assert all(runtime.usable is not None for runtime in facts.engine.runtimes)


@pytest.mark.gvisor
def test_gvisor_is_proven_by_its_kernel(engine: str, runsc: str) -> None:
    before = sandboxes(engine)
    facts = probe(environ(engine), trial=True)
    best = facts.usable_gvisor()
    assert best is not None and best.name == runsc
    assert best.version and best.directfs_off()
    # The engine has removed the container, and its processes end.
    eventually(lambda: sandboxes(engine) <= before, lambda: sandboxes(engine) - before)


def test_the_second_answer_starts_nothing(engine: str) -> None:
    first = probe(environ(engine), trial=True)
    with contextlib.closing(docker.DockerClient(base_url=engine)) as client:
        time.sleep(1.1)  # the engine's events are told apart by whole seconds
        since = int(time.time())
        assert probe(environ(engine), trial=True) == first
        events = list(
            client.events(since=since, until=int(time.time()) + 1, filters={"event": "create"})
        )
    assert [e for e in events if b"dev.sandboxd.trial" in e] == []
