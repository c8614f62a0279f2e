"""What is revoked while an image is built is not given by the start that waits for it, nor does its container run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.errors import UsageError
from sandboxd.life import up_down
from sandboxd.operations import _basis, _credentials, start
from sandboxd.operations import gateway as operation
from sandboxd.operations.start_options import StartOptions
from sandboxd.policy import trust
from sandboxd.project import Project
from sandboxd.state import chosen_groups
from sandboxd.state.given_rights import GivenRights, recall
from tests.unit.operations.running_project import LISTED, Running, play
from tests.unit.plan.examples import GVISOR

IMAGE = 'image = "debian:12"\n'


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    running = play(tmp_path, monkeypatch)
    running.write(IMAGE + LISTED, trusted=True)
    return running


def revoke(running: Running) -> None:
    assert trust.revoke(running.environ, os.path.realpath(running.path))


def policy(running: Running, text: str) -> None:
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    (folder / "policy.toml").write_text(text)


def require(running: Running, change: Callable[[], object]) -> None:
    before = _basis.read(running.environ)
    project = Project.open(str(running.path), running.environ)
    plan = project.plan(GVISOR)
    change()
    _basis.require_same(before, project, plan, lambda: project.plan(GVISOR))


def test_a_grant_that_is_revoked_refuses_the_plan_that_needs_it(running: Running) -> None:
    with pytest.raises(UsageError, match="alone cannot loosen the network"):
        require(running, lambda: revoke(running))


def test_grants_that_could_not_be_read_at_first_are_not_taken_for_none(running: Running) -> None:
    grants = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd/trust.toml"
    text = grants.read_text()
    grants.write_text(text[:-3])
    before = _basis.read(running.environ)
    grants.write_text(text)
    project = Project.open(str(running.path), running.environ)
    plan = project.plan(GVISOR)
    revoke(running)
    with pytest.raises(UsageError, match="alone cannot loosen the network"):
        _basis.require_same(before, project, plan, lambda: project.plan(GVISOR))


def test_a_policy_that_leads_to_another_plan_refuses_it(running: Running) -> None:
    with pytest.raises(UsageError):
        require(running, lambda: policy(running, 'network = "none"\n'))


def test_what_leads_to_the_same_plan_refuses_nothing(running: Running) -> None:
    def grant_and_revoke_another() -> None:
        other = trust.Grant("/another", "d", "dev")
        trust.add(running.environ, other)

    require(running, grant_and_revoke_another)
    require(running, lambda: trust.revoke(running.environ, "/another"))
    require(running, lambda: policy(running, "daemon = false\n"))


def test_an_edit_of_the_file_is_of_the_next_start(running: Running) -> None:
    require(running, lambda: running.write(IMAGE, trusted=False))


class Starting:
    """A start of the project whose image is built, with a played engine."""

    def __init__(self, running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
        self.running = running
        self.during_build: Callable[[], object] = lambda: None
        self.during_gateway: Callable[[], object] = lambda: None
        self.at_start: Callable[[], object] = lambda: None
        self.is_started, self.has_gateway = False, True
        self.engine: Any = SimpleNamespace(
            has_image=lambda _tag: False, containers=lambda *_labels: []
        )
        real = start._planned

        def planned(*arguments: Any) -> Any:
            plan, host, project = real(*arguments)
            return plan._replace(recipe=SimpleNamespace(tag="built")), host, project

        monkeypatch.setattr(start, "_planned", planned)
        monkeypatch.setattr(start, "interruptible", lambda engine, _: engine)
        monkeypatch.setattr(start, "_build", lambda *_: self.during_build())
        monkeypatch.setattr(_credentials, "resolve", lambda *_: None)
        monkeypatch.setattr(up_down, "up", self.up)

    def up(self, *arguments: Any) -> Any:
        """As the real one: the gateway has what is given, then the container starts."""
        *_, give, allowed = arguments
        if self.has_gateway:
            with give("n1", lambda rights: rights.on_machine((), (), ())) as offer:
                self.running.pushed.append(offer.rights.policy)
        self.during_gateway()
        allowed()
        self.at_start()
        self.is_started = True
        raise Done

    def run(self) -> None:
        start.start(
            self.engine,
            str(self.running.path),
            self.running.environ,
            StartOptions(),
            facts=lambda: GVISOR,
        )


class Done(Exception):
    """The container runs: that is all there is to see."""


def test_an_open_network_is_noted_before_its_container_runs(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.write(f'{IMAGE}[network]\nmode = "open"\n', trusted=True)
    starting = Starting(running, monkeypatch)
    starting.has_gateway = False
    noted: list[GivenRights | None] = []
    starting.at_start = lambda: noted.append(recall(running.environ, str(running.path)))
    with pytest.raises(Done):
        starting.run()
    assert noted[0] is not None and noted[0].is_open
    assert recall(running.environ, str(running.path)) is None, "it failed"


def test_a_start_of_what_stays_allowed_goes_on(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Starting(running, monkeypatch)
    with pytest.raises(Done):
        starting.run()
    assert starting.is_started and running.lets_through("a.example.org")


def test_the_groups_that_its_files_selected_are_saved_when_it_starts(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end that it waited for discards them."""
    starting = Starting(running, monkeypatch)
    sandbox = os.path.realpath(running.path)
    saved: list[object] = []

    def end() -> None:
        saved.append(chosen_groups.recall(running.environ, sandbox))
        chosen_groups.forget(running.environ, sandbox)

    starting.during_gateway = end
    starting.at_start = lambda: saved.append(chosen_groups.recall(running.environ, sandbox))
    with pytest.raises(Done):
        starting.run()
    assert saved[0] is not None and saved[0] == saved[1]


def test_what_is_revoked_during_the_build_is_given_to_no_gateway(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Starting(running, monkeypatch)
    starting.during_build = lambda: revoke(running)
    with pytest.raises(UsageError):
        starting.run()
    assert not starting.is_started and running.pushed == []


def test_what_is_revoked_while_the_gateway_starts_starts_no_container(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Starting(running, monkeypatch)
    starting.during_gateway = lambda: revoke(running)
    with pytest.raises(UsageError):
        starting.run()
    assert not starting.is_started


def test_what_is_revoked_while_the_container_starts_is_taken_from_its_gateway(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[str] = []
    monkeypatch.setattr(
        operation, "follow", lambda _engine, sandbox, _environ: followed.append(sandbox)
    )
    project, _ = running.give()
    plan, before = project.plan(GVISOR), _basis.read(running.environ)
    rights, _ = start._rights(plan, running.environ)

    def allowed() -> None:
        _basis.require_same(before, project, plan, lambda: project.plan(GVISOR))

    start._follow_since(None, plan, running.environ, rights, (), allowed)  # type: ignore[arg-type]
    assert followed == []
    revoke(running)
    start._follow_since(None, plan, running.environ, rights, (), allowed)  # type: ignore[arg-type]
    assert followed == [project.sandbox]


def test_a_grant_to_build_that_is_revoked_during_the_build_ends_the_start(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandboxd.life import build

    workspace = os.path.realpath(running.path)
    trust.add(running.environ, trust.Grant(workspace, "recipe", trust.BUILD))
    built: list[str] = []

    def building(*_: object) -> None:
        built.append(workspace)
        revoke(running)

    monkeypatch.setattr(build, "build", building)
    recipe: Any = SimpleNamespace(
        digest="recipe", sources=lambda: "Dockerfile", way_around=lambda: "name an image"
    )
    engine: Any = None
    with pytest.raises(UsageError, match="the image is built from Dockerfile"):
        start._build(engine, workspace, recipe, running.environ, lambda _: None, start.never())
    assert built == [workspace]
