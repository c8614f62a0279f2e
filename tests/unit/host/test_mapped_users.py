"""The facts about an engine that maps the users inside to others outside (`userns-remap`)."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.host.facts.engine import engine_from_raw
from sandboxd.host.probe import _trim


@pytest.mark.parametrize(
    ("options", "folder", "root"),
    [
        (["name=userns"], "/home/ada/docker/100000.100001", (100000, 100001)),
        (["name=userns"], "/var/lib/docker", None),
        (["name=seccomp,profile=builtin"], "/srv/1.2", None),
    ],
)
def test_its_data_folder_names_root_outside(
    options: list[str], folder: str, root: tuple[int, int] | None
) -> None:
    info: dict[str, Any] = _trim({"SecurityOptions": options, "DockerRootDir": folder})
    assert engine_from_raw({"host": "", "info": info}).root_outside == root
    assert "ada" not in str(info), "a report may be shown to others"
