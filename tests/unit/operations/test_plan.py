"""The plan of a start: an image that cannot be built ends it, though its files may be generated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host import probe
from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.operations import _plan
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from tests.unit.plan.examples import GVISOR, only


@pytest.fixture
def folder(tmp_path: Path, own_home: Path) -> Path:
    (tmp_path / ".devcontainer/own").mkdir(parents=True)
    (tmp_path / ".devcontainer/own/install.sh").write_text("true\n")
    config = {"image": "debian:12", "features": {"./own": {}}}
    (tmp_path / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    (tmp_path / "sandboxd.toml").write_text("")
    return tmp_path


def start(folder: Path) -> Plan:
    grants = Grants(trusted=True)
    plan, host, project = _plan.for_start(str(folder), {"HOME": "/h"}, grants, lambda: GVISOR)
    assert (host, project.workspace) == (GVISOR, str(folder))
    return plan


def test_what_can_be_built_is_started(folder: Path) -> None:
    recipe = start(folder).recipe
    assert recipe is not None
    assert [part.path for part in recipe.parts] == [".devcontainer/own/install.sh"]


def test_what_cannot_be_built_is_not_started(folder: Path) -> None:
    (folder / ".devcontainer/own/install.sh").unlink()
    (folder / ".devcontainer/own/install.sh").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="is a symbolic link"):
        start(folder)


def test_what_failed_in_an_earlier_trial_is_tried_anew_by_a_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remembered failure would keep sandboxes away after the engine was mended."""
    failed = only(Runtime("runc", "runc", usable=False, why="no cgroups", fix="mount them"))
    trials = []

    def answer(_environ: object, *, trial: bool, premises: str) -> HostFacts:
        trials.append((trial, premises))
        return failed if len(trials) > 1 else GVISOR

    monkeypatch.setattr(probe, "probe", answer)
    grants = Grants(trusted=True)
    started = _plan.for_start(str(folder), {"HOME": "/h"}, grants, lambda: failed)
    assert (started[1], trials) == (GVISOR, [(True, "all")])
    with pytest.raises(EnvironmentFailure, match="no cgroups"):
        _plan.for_start(str(folder), {"HOME": "/h"}, grants, lambda: failed)
    assert len(trials) == 2
