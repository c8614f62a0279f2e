"""A permanent job that dies ends the daemon, loudly; any other failure is only logged."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sandboxd.daemon.claim import claim
from sandboxd.daemon.service import Service
from sandboxd.daemon.tasks import Tasks
from sandboxd.ipc import address
from tests.patience import PATIENCE, until
from tests.unit.daemon.test_turns import environ


async def fail() -> None:
    raise ZeroDivisionError("oops")


@pytest.mark.asyncio
async def test_only_an_essential_job_is_fatal_and_only_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fatal: list[BaseException] = []
    tasks = Tasks("a test", fatal.append)
    tasks.spawn(fail())
    tasks.spawn_essential(asyncio.sleep(0))
    await until(lambda: "a task of a test failed" in caplog.text)
    assert fatal == []
    tasks.spawn_essential(fail())
    tasks.spawn_essential(fail())
    tasks.spawn_essential(asyncio.sleep(100))
    await until(lambda: caplog.text.count("a task of a test failed") == 3)
    assert [type(error) for error in fatal] == [ZeroDivisionError]
    await tasks.close()
    assert len(fatal) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "job",
    [
        "watching.Watching._sweep",
        "backlog.Backlog.run",
        "registry.Registry.run",
        "watching.Watching.watch_all",
        "lifetime.Lifetime._stop_when_idle",
    ],
)
async def test_a_permanent_job_that_dies_ends_the_daemon_with_its_error(
    own_home: Path, job: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def die(*_args: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(f"sandboxd.daemon.{job}", die)
    monkeypatch.setattr("sandboxd.daemon.watch.SWEEP_SECONDS", 0.05)
    world = environ(own_home)
    with claim(address.folder(world, os.getuid())) as claimed, pytest.raises(ZeroDivisionError):
        async with asyncio.timeout(PATIENCE):
            await Service(world).serve(claimed)
    assert "a permanent job failed, so the daemon ends" in caplog.text
    assert not os.path.exists(claimed.path)
