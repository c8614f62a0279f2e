"""Changes are read from a sandbox that can answer; of one that cannot, the next command is said."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.engine.client import Engine
from sandboxd.errors import UsageError
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.operations.review import collect
from sandboxd.plan.container_name import container_name


def played(folder: Path, state: str, listed: str = "") -> DockerBackend:
    """An engine with one sandbox of the project in `folder`, which works on the project itself.

    :param listed: the state that the engine's list gives, where it is late
    """
    labels = {PROJECT: str(folder), MADE_BY: UP}
    container = SimpleNamespace(
        id="c", name=container_name(str(folder)), state=listed or state, labels=labels
    )
    mount = {"Type": "bind", "Source": str(folder), "Destination": "/w"}
    inspected = {"Mounts": [mount], "HostConfig": {}, "Config": {"Labels": labels}}
    inspected |= {"State": {"Status": state}}
    engine = SimpleNamespace(
        containers=lambda *_labels, **_more: [container], inspect=lambda _id: inspected
    )
    return DockerBackend(cast("Engine", engine), os.environ)


def test_a_paused_sandbox_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is paused") as failure:
        collect(played(tmp_path, "paused"), str(tmp_path))
    assert failure.value.hint is not None and "`sandboxd up`" in failure.value.hint


def test_a_running_sandbox_without_a_copy_has_no_changes_to_bring(tmp_path: Path) -> None:
    assert collect(played(tmp_path, "running"), str(tmp_path)).path == ""


def test_a_sandbox_that_has_just_ended_is_not_taken_for_one_that_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sandbox runs here"):
        collect(played(tmp_path, "exited", listed="running"), str(tmp_path))
