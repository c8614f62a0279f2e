"""The container that we read in each small project is the one that was made of it."""

from __future__ import annotations

import pytest

from tests import merge_projects as projects


@pytest.mark.parametrize("name", projects.NAMES)
def test_the_container_is_the_one_that_was_made(name: str) -> None:
    record = projects.recorded(name)
    folder = projects.PROJECTS / f"merge-{name}"
    container = projects.read(folder, projects.images(record))
    differs = projects.differences(projects.settings(folder, container), name, record)
    assert {key: value for key, value in differs.items() if key not in projects.unknown(name)} == {}
    # What is known by now is no longer declared unknown; what an engine lacks it does not show.
    assert projects.unknown(name) <= differs.keys()


@pytest.mark.parametrize("name", projects.NAMES)
def test_the_merged_configuration_is_the_tools_own(name: str) -> None:
    record = projects.recorded(name)
    container = projects.read(projects.PROJECTS / f"merge-{name}", projects.images(record))
    ours, theirs = projects.merged(container), record["merged"]
    assert ours.keys() == theirs.keys()
    assert {key for key in ours if ours[key] != theirs[key]} == projects.lost(name)
