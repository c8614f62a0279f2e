"""Services start one after another as they need each other; one that is sick is named, and so is what waits for it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sandboxd.life import service_start, services
from sandboxd.life.service_start import Sick
from sandboxd.life.services import Surroundings
from sandboxd.model.labels import PLAN, SERVICE, START
from sandboxd.plan.plan import Plan
from tests.integration.stub_http import frame
from tests.unit.engine.fake_engine import answering_to_bodies
from tests.unit.plan.test_services import INNER, planned


@pytest.fixture(autouse=True)
def no_second_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all be looked at once after they started."""
    monkeypatch.setattr(service_start, "STEADY_SECONDS", 0.0)


AROUND = Surroundings(INNER, "", "workspace-id", "now")
HEALTHY = {"Status": "running", "Health": {"Status": "healthy"}}


class Served:
    """An engine with containers; `calls` are what was asked of it that changes something.

    A container is in each of its `states` once, by the name of its service, and stays in the last.
    """

    def __init__(self, images: set[str], states: dict[str, list[dict[str, Any]]] | None = None):
        self.images = images
        self.states = states or {}
        self.containers: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.files: dict[str, bytes] = {}

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
        service = parts[1].rpartition("-")[2]
        if method == "DELETE":
            self.calls.append(f"remove {service}")
            del self.containers[parts[1]]
            return 204, {}
        if path.endswith("/archive"):
            self.files[service] = body
            return 200, {}
        if path.endswith("/logs"):
            return 200, frame(2, b"no password is set\n")
        if path.endswith("/json"):
            if parts[1] not in self.containers:
                return 404, {"message": "No such container: x"}
            states = self.states.get(service, [{"Status": "running"}])
            state = states.pop(0) if len(states) > 1 else states[0]
            return 200, {"Id": parts[1], "Config": {}, "State": state}
        return 204, {}


def follow(served: Served, plan: Plan) -> tuple[list[str], tuple[Sick, ...]]:
    """What was said meanwhile, and what is sick."""
    said: list[str] = []
    with answering_to_bodies(served) as engine:
        sick = service_start.follow(engine, plan, AROUND, "4711", said.append)
    return said, sick


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


def test_a_missing_image_is_named_with_what_waits_for_it_and_the_rest_starts(
    tmp_path: Path,
) -> None:
    served = Served({"a"})
    _, sick = follow(
        served,
        planned(
            tmp_path,
            one={"image": "gone"},
            three={"image": "a", "depends_on": ["one"]},
            two={"image": "a"},
        ),
    )
    assert served.calls == ["create two"]
    assert [each.service for each in sick] == ["one", "three"]
    assert sick[0].why == "is not started: its image `gone` is not there"
    assert sick[0].hint == "get it (`docker pull gone`, or `sandboxd up --pull`)"
    assert sick[1].why == "is not started: it needs `one`"


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


def test_each_starts_once_what_it_needs_is_healthy_or_has_ended(tmp_path: Path) -> None:
    starting = {"Status": "running", "Health": {"Status": "starting"}}
    states = {"zdb": [starting, starting, HEALTHY], "move": [{"Status": "exited", "ExitCode": 0}]}
    served = Served({"a"}, states)
    plan = planned(
        tmp_path,
        api={
            "image": "a",
            "depends_on": {"move": {"condition": "service_completed_successfully"}},
        },
        move={"image": "a", "depends_on": {"zdb": {"condition": "service_healthy"}}},
        zdb={"image": "a", "healthcheck": {"test": "true"}},
    )
    said, sick = follow(served, plan)
    assert sick == ()
    assert served.calls == ["create zdb", "create move", "create api"]
    assert said.count("waiting for `zdb` to be healthy") == 1


def test_the_workspace_waits_for_what_it_needs(tmp_path: Path) -> None:
    starting = {"Status": "running", "Health": {"Status": "starting"}}
    served = Served({"a"}, {"db": [starting, HEALTHY]})
    app = {"image": "img:1", "depends_on": {"db": {"condition": "service_healthy"}}}
    said, sick = follow(served, planned(tmp_path, app=app, db={"image": "a"}))
    assert sick == () and "waiting for `db` to be healthy" in said


def test_a_sick_one_is_named_with_the_last_words_of_its_check(tmp_path: Path) -> None:
    log = [{"ExitCode": 0, "Output": "fine"}, {"ExitCode": 2, "Output": "no response\n"}]
    ill = {"Status": "running", "Health": {"Status": "unhealthy", "Log": log}}
    served = Served({"a"}, {"db": [ill]})
    needs = {"depends_on": {"db": {"condition": "service_healthy"}}}
    may = {"depends_on": {"db": {"condition": "service_healthy", "required": False}}}
    plan = planned(
        tmp_path,
        db={"image": "a"},
        job={"image": "a", **needs},
        other={"image": "a", **may},
    )
    _, sick = follow(served, plan)
    assert [(each.service, each.why) for each in sick] == [
        ("db", "is unhealthy: no response"),
        ("job", "is not started: it needs `db`"),
    ]
    assert sick[0].hint == "sandboxd logs --service db"
    assert "create other" in served.calls and "create job" not in served.calls


def test_files_of_the_project_are_copied_and_a_changed_one_makes_the_service_anew(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ".devcontainer/sql"
    folder.mkdir(parents=True)
    (folder / "a.sql").write_text("select 1")
    (folder / "link").symlink_to("/etc/passwd")
    served = Served({"a"})
    db = {"image": "a", "volumes": ["./sql:/init"]}
    _, sick = follow(served, planned(tmp_path, db=db))
    assert sick == ()
    with tarfile.open(fileobj=io.BytesIO(served.files["db"])) as tar:
        entries = {entry.name: (entry.mode, entry.uid) for entry in tar}
    assert entries == {"init": (0o755, 0), "init/a.sql": (0o644, 0)}, "no link is followed"
    served.calls.clear()
    follow(served, planned(tmp_path, db=db))
    assert served.calls == []
    (folder / "a.sql").write_text("select 2")
    follow(served, planned(tmp_path, db=db))
    assert served.calls == ["remove db", "create db"]


def test_a_file_that_is_behind_a_link_is_not_copied(tmp_path: Path) -> None:
    folder = tmp_path / ".devcontainer/sql"
    folder.mkdir(parents=True)
    (folder / "passwd").write_text("")
    served = Served({"a"})
    plan = planned(tmp_path, db={"image": "a", "volumes": ["./sql/passwd:/init"]})
    # What runs inside exchanges it between the plan and the start.
    (folder / "passwd").unlink()
    folder.rmdir()
    folder.symlink_to("/etc")
    _, (sick,) = follow(served, plan)
    assert served.calls == [] and sick.service == "db"
    assert "`.devcontainer/sql/passwd` cannot be copied" in sick.why


FAILED = {"Status": "exited", "ExitCode": 3}


def test_one_that_ends_at_once_is_named_with_its_last_words_though_nobody_waits_for_it(
    tmp_path: Path,
) -> None:
    running = {"Status": "running"}
    states = {
        "db": [running, FAILED],
        "job": [{"Status": "exited", "ExitCode": 0}],
        "web": [running],
    }
    served = Served({"a"}, states)
    needs_db = {"image": "a", "depends_on": ["db"]}
    plan = planned(tmp_path, db={"image": "a"}, job={"image": "a"}, web=needs_db)
    _, (sick,) = follow(served, plan)
    assert (sick.service, sick.why) == ("db", "ended with exit code 3: no password is set")
    assert sick.hint == "sandboxd logs --service db"
    assert "remove db" not in served.calls, "its log can be read"


def test_a_policy_to_restart_is_said_to_do_nothing(tmp_path: Path) -> None:
    served = Served({"a"}, {"db": [FAILED | {"OOMKilled": True}]})
    _, (sick,) = follow(served, planned(tmp_path, db={"image": "a", "restart": "always"}))
    assert sick.why == "ended: out of memory: no password is set"
    assert sick.hint.startswith("`sandboxd logs --service db`; `restart` does nothing here")


def test_one_that_goes_on_is_looked_at_until_its_first_second_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_start, "STEADY_SECONDS", 60.0)
    running = {"Status": "running"}
    served = Served({"a"}, {"db": [running, running, running, FAILED]})
    _, (sick,) = follow(served, planned(tmp_path, db={"image": "a"}))
    assert sick.service == "db"


def test_a_failed_one_has_its_own_last_words_not_those_of_its_check(tmp_path: Path) -> None:
    log = [{"ExitCode": 1, "Output": "connection refused"}]
    served = Served({"a"}, {"db": [FAILED | {"Health": {"Status": "unhealthy", "Log": log}}]})
    _, (sick,) = follow(served, planned(tmp_path, db={"image": "a"}))
    assert sick.why == "ended with exit code 3: no password is set"
