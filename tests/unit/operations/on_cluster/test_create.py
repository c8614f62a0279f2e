"""What the user takes back while a sandbox is made on a cluster is not given to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.entry import Entry
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.backends.kubernetes.network_trial import Trial
from sandboxd.backends.kubernetes.target import Target
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations.on_cluster import _create, start
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.on_cluster.planning import Planned, planned
from sandboxd.plan.grants import NO_GRANTS
from sandboxd.policy import trust
from sandboxd.project import Project
from tests.unit.operations.on_cluster.pods import TEAM, UID

CONFIG = 'image = "x"\n[network]\nmode = "allow"\nallow = ["a.example.org"]\n'


class Making:
    """A start on a played cluster, with what happens meanwhile."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        project = folder / "app"
        project.mkdir()
        (project / "sandboxd.toml").write_text(CONFIG)
        environ = {"HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "state")}
        cluster: Any = SimpleNamespace(
            context=TEAM,
            get=lambda *_: None,
            list=lambda *_: [{"metadata": {"name": "sandbox"}, "handler": "runsc"}],
        )
        self.target = Target(cluster, environ, str(project), os.path.realpath(project), "")
        self.while_pods_start: Callable[[], object] = lambda: None
        self.while_files_go: Callable[[], object] = lambda: None
        self.done: list[str] = []
        pod = {"metadata": {"uid": UID}, "spec": {}}
        played: dict[tuple[object, str], Callable[..., Any]] = {
            (_create.pod_objects, "with_address"): lambda _cluster, _plan, wishes, _pod: wishes,
            (_create.pod_objects, "written"): lambda *_: [],
            (_create.pod_objects, "make"): self._make,
            (_create, "_await_gateway"): lambda *_: None,
            (_create, "_running_pod"): lambda *_, **__: pod,
            (_create.network_trial, "of_pod"): lambda _: SimpleNamespace(outcome="enforced"),
            (_create._send, "send"): self._send,
            (_create.losses, "not_in_force"): lambda *_: (),
            (_create._identity, "put"): lambda *_: False,
            (_create, "PodGateway"): self._gateway,
            (_create, "_recorded"): self._recorded,
            (start._send, "require_room"): lambda *_: None,
            (start.objects, "take_away"): lambda *_: self.done.append("taken away"),
        }
        for (owner, name), function in played.items():
            monkeypatch.setattr(owner, name, function)

    def trust(self) -> None:
        project = Project.open(self.target.workspace, self.target.environ)
        grant = trust.Grant(project.workspace, project.config.digest, project.profile.name)
        trust.add(self.target.environ, grant)

    def revoke(self) -> None:
        assert trust.revoke(self.target.environ, self.target.workspace)

    def wanted(self) -> Planned:
        return planned(self.target, ClusterOptions(), NO_GRANTS)

    def run(self) -> None:
        start._make(self.target, self.wanted(), lambda _text, _passes: None, None)

    def _make(self, *_: object) -> list[str]:
        self.while_pods_start()
        return []

    def _send(self, *_: object) -> None:
        self.done.append("files")
        self.while_files_go()

    def _gateway(self, _target: Target) -> Any:
        return SimpleNamespace(
            refresh=lambda *, is_start: self.done.append("names of now" if is_start else "names"),
            require_client=lambda _: None,
        )

    def _recorded(self, *_: object) -> Any:
        self.done.append("started")
        return SimpleNamespace(_replace=lambda **_: None)


@pytest.fixture
def making(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Making]:
    making = Making(tmp_path, monkeypatch)
    making.trust()
    yield making


def test_where_nothing_is_taken_back_it_starts_with_the_names_of_now(making: Making) -> None:
    making.run()
    assert making.done == ["files", "started", "names of now"]


def test_its_names_are_recorded_before_anything_is_made(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RecordFailure("the disk is full", "make room")

    def look() -> None:
        record = Record(notes.folder(making.target.environ))
        (entry,) = (each for each in _entries(record) if each.kind == "widened")
        assert "a.example.org" in entry.facts["names"] and entry.facts["credentials"] == []
        making.done.append("recorded")

    making.while_pods_start = look
    making.run()
    assert making.done[0] == "recorded"
    making.done.clear()
    with monkeypatch.context() as patched, pytest.raises(RecordFailure):
        patched.setattr(notes, "require", refuse)
        making.run()
    assert "recorded" not in making.done and "files" not in making.done


def _entries(record: Record) -> tuple[Entry, ...]:
    return chain.check(record.files(), record.marks()).entries


def test_what_is_revoked_while_its_pods_start_keeps_the_files_here(making: Making) -> None:
    making.while_pods_start = making.revoke
    with pytest.raises(UsageError, match="alone cannot loosen the network"):
        making.run()
    assert making.done == ["taken away"]


def test_what_is_revoked_while_the_files_go_takes_it_away(making: Making) -> None:
    making.while_files_go = making.revoke
    with pytest.raises(UsageError):
        making.run()
    assert making.done == ["files", "taken away"]


@pytest.mark.parametrize("outcome", ["open", "not checked"])
def test_a_network_that_nobody_saw_closed_is_refused_where_it_has_to_be(outcome: Any) -> None:
    plans: Any = {name: SimpleNamespace(profile=name) for name in ("untrusted", "dev")}
    trial = Trial(outcome, "what was seen")
    with pytest.raises(EnvironmentFailure, match="what was seen"):
        _create._refuse_open(trial, plans["untrusted"])
    _create._refuse_open(trial, plans["dev"])
    _create._refuse_open(Trial("enforced", ""), plans["untrusted"])
