"""The container that the dev container CLI really makes is the one that we read, setting by setting."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest

from tests.e2e import merge_oracle as oracle
from tests.e2e.merge_oracle import Ran

pytestmark = [pytest.mark.engine, pytest.mark.node]

# What this engine may have no difference in, and another one has.
ENGINES = {"gpus"}

Runs = dict[str, Ran | AssertionError]


@pytest.fixture(scope="module")
def runs(
    engine: str, busybox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    if shutil.which("npm") is None:
        pytest.skip("no `npm`: install nodejs and npm")
    # Containers run as other users, who have to get to the project.
    folder = tmp_path_factory.mktemp("merge")
    for path in (folder, *folder.parents[: len(folder.parents) - 2]):
        path.chmod(path.stat().st_mode | 0o055)
    runner = oracle.Runner(engine, folder)
    ran = runner.all()
    yield ran
    runner.remove(ran)


def of(runs: Runs, name: str) -> Ran:
    ran = runs[name]
    if isinstance(ran, AssertionError):
        raise ran
    return ran


def unknown(name: str) -> set[str]:
    """The settings that the project says nobody can know from its files."""
    text = (oracle.PROJECTS / f"merge-{name}/README.md").read_text()
    return set(re.findall(r"^Not known: `(\w+)`:", text, re.MULTILINE))


@pytest.mark.parametrize("name", oracle.NAMES)
def test_the_engine_made_the_container_that_we_read(name: str, runs: Runs) -> None:
    plain = oracle.made(of(runs, "plain"), {})
    ran = of(runs, name)
    ours, theirs = oracle.said(ran, oracle.read(ran)), oracle.made(ran, plain)
    differs = oracle.differences(ours, theirs, plain)
    assert {key: value for key, value in differs.items() if key not in unknown(name)} == {}
    # What is known by now is no longer declared unknown.
    assert unknown(name) <= differs.keys() | ENGINES


@pytest.mark.parametrize("name", oracle.NAMES)
def test_the_tools_merged_configuration_is_ours(name: str, runs: Runs) -> None:
    ran = of(runs, name)
    assert oracle.merged(oracle.read(ran)) == oracle.as_merged(ran.merged)
