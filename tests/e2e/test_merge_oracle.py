"""What the dev container CLI really makes of each project is what its `made.json` says.

That we read the same in its files is tests/unit/formats/resolved/test_merge_projects.py, without an engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests import merge_projects
from tests.e2e import merge_oracle as oracle
from tests.expected import Expect

pytestmark = [pytest.mark.engine, pytest.mark.node]

Runs = dict[str, oracle.Ran | AssertionError]


@pytest.fixture(scope="module")
def runs(
    engine: str, busybox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    # Containers run as other users, who have to get to the project.
    folder = tmp_path_factory.mktemp("merge")
    for path in (folder, *folder.parents[: len(folder.parents) - 2]):
        path.chmod(path.stat().st_mode | 0o055)
    runner = oracle.Runner(engine, folder)
    ran = runner.all()
    yield ran
    runner.remove(ran)


def of(runs: Runs, name: str) -> oracle.Ran:
    ran = runs[name]
    if isinstance(ran, AssertionError):
        raise ran
    return ran


@pytest.mark.parametrize("name", merge_projects.NAMES)
def test_the_cli_makes_what_is_recorded(
    name: str, runs: Runs, request: pytest.FixtureRequest, expect: Expect
) -> None:
    plain = {} if name == "plain" else oracle.create_request(of(runs, "plain"))
    record = oracle.record(of(runs, name), plain)
    path = merge_projects.PROJECTS / f"merge-{name}/made.json"
    if name == "plain" and not request.config.getoption("--update"):
        known = json.loads(path.read_text())
        # Each engine has defaults of its own; who names a setting gets it from all.
        record["settings"] |= {key: known["settings"][key] for key in oracle.DEFAULTS}
    expect(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
