"""Work that nobody waits for is all done, in order, and one failure ends nothing."""

from __future__ import annotations

import asyncio

import pytest

from sandboxd.daemon.backlog import Backlog
from sandboxd.daemon.projects import EngineKey, Tracked
from sandboxd.status.combine import Examined
from tests.patience import until

ENGINE = EngineKey(None, None)


@pytest.mark.asyncio
async def test_each_is_looked_at_once_and_a_failure_ends_nothing() -> None:
    looked: list[str] = []

    async def look(project: Tracked) -> None:
        backlog.take(project)
        looked.append(project.path)
        if project.path == "/1":
            raise ValueError("a bug")

    backlog = Backlog(look)
    backlog.add([])
    job = asyncio.create_task(backlog.run())
    await asyncio.sleep(0)
    projects = [Tracked(f"/{number}", ENGINE) for number in range(30)]
    backlog.add(projects)
    backlog.add(projects[:3])
    assert backlog.take(projects[5]) and not backlog.take(projects[5])
    await until(lambda: not len(backlog))
    job.cancel()
    assert looked == [f"/{number}" for number in range(30) if number != 5]


def test_what_projects_have_in_common_is_kept_once() -> None:
    first, second = Tracked("/a", ENGINE), Tracked("/b", ENGINE)
    text = "a long text " * 3
    first.examined = Examined(profile="common", downgrades=(text, "one"))
    second.examined = Examined(profile="common", downgrades=("".join(list(text)), "other"))
    assert first.examined is not None and second.examined is not None
    assert second.examined.downgrades == (text, "other")
    assert second.examined.downgrades[0] is first.examined.downgrades[0]
    # Equal but of another type: not the same.
    third = Tracked("/c", ENGINE)
    third.examined = Examined(profile="common", stale=0)  # type: ignore[arg-type]
    assert third.examined is not None and type(third.examined.stale) is int


def test_what_is_kept_comes_back_whole() -> None:
    first, second = Tracked("/a", ENGINE), Tracked("/b", ENGINE)
    assert first.examined is None and not first.is_known
    one = Examined(profile="dev", problem="x" * 1000)
    other = Examined(valid=False, downgrades=("a", "b"), hint="y")
    first.examined, second.examined = one, other
    assert (first.examined, second.examined) == (one, other)
    assert (first.is_valid, first.has_problem) == (True, True)
    assert (second.is_valid, second.has_problem) == (False, False)


def test_what_happens_while_it_is_looked_at_is_not_dealt_with() -> None:
    project = Tracked("/a", ENGINE)
    assert project.is_due
    count = project.changes
    project.happened()
    project.dealt_with(count)
    assert project.is_due
    project.dealt_with(project.changes)
    assert not project.is_due
