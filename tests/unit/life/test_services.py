"""Services beside a gateway: what runs as planned stays, all else goes before anything new comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandboxd.life import services
from sandboxd.model.labels import PLAN, SERVICE, START
from sandboxd.plan.plan import Plan
from tests.unit.engine.fake_engine import answering_to_bodies
from tests.unit.plan.test_services import INNER, planned


class Served:
    """An engine with containers; `calls` are what was asked of it that changes something."""

    def __init__(self, images: set[str]) -> None:
        self.images = images
        self.containers: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []

    def __call__(self, method: str, target: str, body: bytes) -> tuple[int, object]:
        path, _, query = target.partition("?")
        parts = path.strip("/").split("/")
        if parts[0] == "images":
            return (200, {"Id": "i"}) if parts[1] in self.images else (404, {"message": "none"})
        if path == "/containers/json":
            return 200, list(self.containers.values())
        if path == "/containers/create":
            name, request = query.removeprefix("name="), json.loads(body)
            self.calls.append(f"create {name.rpartition('-')[2]}")
            self.containers[name] = {
                "Id": name, "Names": [f"/{name}"], "Labels": request["Labels"], "State": "running",
                "Image": request["Image"], "Created": 0,
            }  # fmt: skip
            return 201, {"Id": name}
        if method == "DELETE":
            self.calls.append(f"remove {parts[1].rpartition('-')[2]}")
            del self.containers[parts[1]]
            return 204, {}
        if path.endswith("/json"):
            present = self.containers.get(parts[1])
            return (
                (200, {"State": {"Status": "running"}})
                if present
                else (404, {"message": "No such container: x"})
            )
        return 204, {}


def follow(served: Served, plan: Plan) -> list[str]:
    """What was said meanwhile."""
    said: list[str] = []
    with answering_to_bodies(served) as engine:
        services.follow(engine, plan, INNER, "", "4711", said.append)
    return said


def test_what_runs_as_planned_is_left_alone_and_a_changed_one_is_made_anew(tmp_path: Path) -> None:
    served = Served({"a", "b"})
    both = {"one": {"image": "a"}, "two": {"image": "b"}}
    follow(served, planned(tmp_path, **both))
    assert served.calls == ["create one", "create two"]
    (first, second) = served.containers.values()
    assert first["Labels"].keys() >= {SERVICE, PLAN, START}
    served.calls.clear()
    follow(served, planned(tmp_path, **both))
    assert served.calls == []
    follow(served, planned(tmp_path, one={"image": "a"}, two={"image": "a"}))
    assert served.calls == ["remove two", "create two"]
    second = served.containers[second["Id"]]
    second["State"] = "exited"
    served.calls.clear()
    follow(served, planned(tmp_path, one={"image": "a"}, two={"image": "a"}))
    assert served.calls == ["remove two", "create two"]


def test_whatever_goes_is_gone_before_another_gets_its_address(tmp_path: Path) -> None:
    served = Served({"a"})
    follow(served, planned(tmp_path, one={"image": "a"}, two={"image": "a"}))
    served.calls.clear()
    follow(served, planned(tmp_path, first={"image": "a"}, two={"image": "a"}))
    assert served.calls == ["remove one", "create first"]


def test_a_missing_image_is_named_and_the_rest_starts(tmp_path: Path) -> None:
    served = Served({"a"})
    said = follow(served, planned(tmp_path, one={"image": "gone"}, two={"image": "a"}))
    assert served.calls == ["create two"]
    assert "downgrade: service: `one` is not started: its image is not there" in said
    assert "  hint: docker pull gone" in said


def test_a_container_that_only_has_the_label_is_not_touched(tmp_path: Path) -> None:
    served = Served({"a"})
    plan = planned(tmp_path)
    served.containers["stranger"] = {
        "Id": "stranger", "Names": ["/stranger"], "Labels": {SERVICE: plan.workspace},
        "State": "running", "Image": "a", "Created": 0,
    }  # fmt: skip
    follow(served, plan)
    with answering_to_bodies(served) as engine:
        services.leave(engine, plan.workspace)
    assert served.calls == []
