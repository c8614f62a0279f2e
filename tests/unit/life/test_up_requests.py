"""What a start asks an engine: nothing twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import egress, sources, up_down, volumes
from sandboxd.model.labels import GATEWAY, MADE_BY, PROJECT, SERVICE, UP, VOLUME
from sandboxd.plan.plan import Plan
from tests.unit.engine.fake_engine import answering
from tests.unit.plan.examples import GVISOR, plan

PLANNED = plan(host=GVISOR)


class Machine:
    """An engine that makes whatever it is asked for; `asked` has the questions, filters and all."""

    def __init__(self, planned: Plan) -> None:
        self.asked: list[str] = []
        self._own = {
            place.volume: {"Labels": {VOLUME: planned.sandbox}} for place in planned.lasting
        }
        self.volumes: dict[str, object] = dict(self._own)

    def answer(self, method: str, target: str) -> tuple[int, object]:
        path, _, query = target.partition("?")
        path = re.sub(r"^/v[\d.]+", "", path)
        self.asked.append(f"{method} {path} {unquote(query)}".strip())
        if path == "/_ping":
            return 200, {}
        if method == "POST" and path == "/volumes/create":
            self.volumes = dict(self._own)
            return 201, {}
        if path.startswith("/volumes/"):
            name = path.rpartition("/")[2]
            return (
                (200, self.volumes[name])
                if name in self.volumes
                else (404, {"message": "no such volume"})
            )
        if path == "/containers/json":
            return 200, []
        return 200, {"Id": "made", "State": {"Running": True}, "Mounts": [], "HostConfig": {}}


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr(sources, "check", lambda *_: None)
    return PLANNED._replace(workspace=str(tmp_path), stubs=(), egress=None)


def start(machine: Machine, planned: Plan) -> None:
    with answering(machine.answer) as engine:
        up_down.up(engine, planned, lambda _: None)


def test_nothing_is_asked_twice(planned: Plan) -> None:
    machine = Machine(planned)
    start(machine, planned)
    inspections = "GET /containers/made/json"
    twice = {each: n for each, n in Counter(machine.asked).items() if n > 1}
    assert twice == {inspections: 2}, "once before it runs, for what the image adds, once after"
    lists = [each for each in machine.asked if each.startswith("GET /containers/json")]
    assert len(lists) == 3
    for label in (f'["{PROJECT}"]', f'["{GATEWAY}=', f'["{SERVICE}='):
        assert sum(label in each.replace(" ", "") for each in lists) == 1


def test_a_volume_that_is_missing_is_made_and_asked_about_again(planned: Plan) -> None:
    machine = Machine(planned)
    machine.volumes = {}
    start(machine, planned)
    (name,) = (place.volume for place in planned.lasting)
    made = machine.asked.index("POST /volumes/create")
    asked = [at for at, each in enumerate(machine.asked) if each == f"GET /volumes/{name}"]
    assert [at > made for at in asked] == [False, True]


def test_what_is_known_of_a_volume_ends_with_a_change() -> None:
    answers = [(200, {"Name": "a"}), (404, {"message": "no such volume"}), (200, {"Name": "a"})]

    def answer(method: str, target: str) -> tuple[int, object]:
        return (200, {}) if "_ping" in target else answers.pop(0)

    with answering(answer) as engine:
        known = volumes.Known(engine)
        assert known.volume("a") == known.volume("a") == {"Name": "a"}
        known.changed("a")
        assert known.volume("a") is None
        assert known.volume("a") is None
        known.changed("a")
        assert known.volume("a") is not None


def test_a_gateway_that_cannot_be_removed_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: object) -> None:
        raise EnvironmentFailure("the gateway is still there")

    monkeypatch.setattr(egress, "leave", leave)
    done = []
    with pytest.raises(EnvironmentFailure, match="still there"), egress.leaving(None, "/p"):  # type: ignore[arg-type]
        done.append("start")
    assert done == ["start"]
    with pytest.raises(EnvironmentFailure, match="no space"), egress.leaving(None, "/p"):  # type: ignore[arg-type]
        raise EnvironmentFailure("no space")


def test_containers_of_a_list_are_ours_by_both_labels() -> None:
    from sandboxd.engine.client import Summary
    from sandboxd.life.find import sandboxes_of_up

    present = [
        Summary("a", "x", "i", "running", {PROJECT: "/other", MADE_BY: UP}, 0),
        Summary("b", "x", "i", "running", {PROJECT: "/p", MADE_BY: "editor"}, 0),
    ]
    assert sandboxes_of_up(None, "/p", present) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("is_allowed", [True, False])
def test_a_container_starts_only_while_it_is_allowed(planned: Plan, is_allowed: bool) -> None:
    machine = Machine(planned)
    asked_before: list[str] = []

    def allowed() -> None:
        asked_before[:] = machine.asked
        if not is_allowed:
            raise UsageError("it was revoked")

    def run() -> None:
        with answering(machine.answer) as engine:
            up_down.up(engine, planned, lambda _: None, allowed=allowed)

    if is_allowed:
        run()
        (first, *_) = machine.asked[len(asked_before) :]
        assert first == "POST /containers/made/start"
        return
    with pytest.raises(UsageError, match="revoked"):
        run()
    assert "POST /containers/made/start" not in machine.asked
