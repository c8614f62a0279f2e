"""A project's containers are found by its own label, and nobody else's are asked about."""

from __future__ import annotations

import json
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine import failures
from sandboxd.life import find
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.plan.container_name import container_name
from tests.unit.engine.fake_engine import answering


class Containers:
    """An engine's containers, one for each folder, and whom it was asked about."""

    def __init__(self, *folders: str, without_mount: tuple[str, ...] = ()) -> None:
        self.asked: list[str] = []
        self._without_mount = without_mount
        self._all = [
            {
                "Id": folder,
                "Names": [f"/{container_name(folder)}"],
                "State": "running",
                "Labels": {PROJECT: folder, MADE_BY: UP},
            }
            for folder in folders
        ]

    def answer(self, _method: str, target: str) -> tuple[int, object]:
        address = urllib.parse.urlsplit(target)
        if address.path.endswith("/containers/json"):
            filters = urllib.parse.parse_qs(address.query).get("filters", ["{}"])[0]
            return 200, [c for c in self._all if _matches(c, json.loads(filters).get("label", []))]
        folder = (
            urllib.parse.unquote(address.path).removeprefix("/containers").removesuffix("/json")
        )
        folder = "/" + folder.lstrip("/")
        self.asked.append(folder)
        mounts = [{"Type": "bind", "Source": folder}]
        return 200, {"Id": folder, "Mounts": [] if folder in self._without_mount else mounts}


def _matches(container: dict[str, Any], labels: list[str]) -> bool:
    pairs = [label.partition("=") for label in labels]
    return all(
        name in container["Labels"] and (not equals or container["Labels"][name] == value)
        for name, equals, value in pairs
    )


def test_with_many_projects_one_container_is_asked_about() -> None:
    containers = Containers(*(f"/projects/{number}" for number in range(500)))
    with answering(containers.answer) as engine:
        assert find.locate(engine, "/projects/77").id == "/projects/77"
        assert containers.asked == ["/projects/77"]
        containers.asked.clear()
        assert find.locate(engine, "/projects/77/below/it").id == "/projects/77"
        assert containers.asked == ["/projects/77"]
        containers.asked.clear()
        with pytest.raises(failures.ContainerGone):
            find.locate(engine, "/elsewhere")
        assert containers.asked == []


def test_the_nearest_folder_upwards_counts() -> None:
    containers = Containers(
        "/projects", "/projects/app", "/projects/application", "/projects/app/deep"
    )
    with answering(containers.answer) as engine:
        assert find.locate(engine, "/projects/app/src").id == "/projects/app"
        assert find.locate(engine, "/projects/app/deep/x").id == "/projects/app/deep"
        assert find.locate(engine, "/projects/other").id == "/projects"


def test_one_that_only_says_to_be_nearer_hides_nothing() -> None:
    """An image can bring any label; a container without the project's folder is no sandbox of it."""
    liars = ("/projects/app/src", "/projects/app/src/deep")
    containers = Containers("/projects/app", *liars, without_mount=liars)
    with answering(containers.answer) as engine:
        assert find.locate(engine, "/projects/app/src/deep").id == "/projects/app"
        assert find.locate(engine, "/projects/app/src").id == "/projects/app"


def test_a_folder_that_has_become_a_link_is_the_same_project(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "old").symlink_to("new")
    containers = Containers(str(tmp_path / "old"))
    with answering(containers.answer) as engine:
        assert find.locate(engine, str(tmp_path / "new")).id == str(tmp_path / "old")
