"""What is asked of a cluster for a start, and when a Pod that runs already is the one that is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sandboxd.backends.kubernetes import failures, records, sandboxes, waiting
from sandboxd.backends.kubernetes import objects as pod_objects
from sandboxd.backends.kubernetes.records import Lost, Record
from sandboxd.backends.kubernetes.target import Target
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster import refresh
from sandboxd.operations.on_cluster._reuse import reuse
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.on_cluster.planning import planned
from sandboxd.plan.grants import NO_GRANTS, Grants
from tests.unit.operations.on_cluster.pods import TEAM, UID

RUNC = Grants(allow_runc=True)


class Cluster:
    """One with RuntimeClasses, as pairs of name and handler; None: the user may not list them."""

    context = TEAM

    def __init__(self, classes: list[tuple[str, str]] | None) -> None:
        self._classes = classes

    def list(self, *_: object) -> list[dict[str, Any]]:
        if self._classes is None:
            raise failures.Refused(403, "no", "ask for it")
        return [{"metadata": {"name": name}, "handler": by} for name, by in self._classes]

    def get(self, _kind: object, name: str, *_: object) -> dict[str, Any] | None:
        return (
            {"handler": dict(self._classes or ())[name]}
            if name in dict(self._classes or ())
            else None
        )


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n[network]\nmode = "none"\n')
    environ = {"HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    cluster = Cluster([("kata", "kata"), ("sandbox", "runsc")])
    return Target(cast("Any", cluster), environ, str(tmp_path), str(tmp_path), "")


def refusal(target: Target, options: ClusterOptions, grants: Grants = NO_GRANTS) -> str:
    with pytest.raises(UsageError) as info:
        planned(target, options, grants)
    return f"{info.value.message}\n{info.value.hint}"


def test_gvisors_class_is_taken_where_none_is_named(target: Target) -> None:
    wishes = planned(target, ClusterOptions(), NO_GRANTS).wishes
    assert (wishes.runtime_class, wishes.handler) == ("sandbox", "runsc")


def test_a_class_that_is_named_is_taken_with_its_handler(target: Target) -> None:
    wishes = planned(target, ClusterOptions(runtime_class="kata"), RUNC).wishes
    assert (wishes.runtime_class, wishes.handler) == ("kata", "kata")
    said = refusal(target, ClusterOptions(runtime_class="other"))
    assert "no RuntimeClass `other`\nit has `kata`, `sandbox`" in said


@pytest.mark.parametrize("classes", [[], [("kata", "kata")], None])
def test_without_gvisor_a_profile_that_needs_it_asks_for_a_class(
    target: Target, tmp_path: Path, classes: list[tuple[str, str]] | None
) -> None:
    (tmp_path / "sandboxd.toml").write_text('profile = "agent"\nimage = "x"\n')
    without = target._replace(cluster=cast("Any", Cluster(classes)))
    assert "profile `agent` needs gVisor, and no RuntimeClass" in refusal(without, ClusterOptions())
    assert planned(without, ClusterOptions(), RUNC).wishes.runtime_class == ""


def test_a_sandbox_needs_its_controller(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxes, "are_there", lambda _: False)
    assert "the cluster has no agent-sandbox" in refusal(target, ClusterOptions(sandbox=True))
    monkeypatch.setattr(sandboxes, "are_there", lambda _: True)
    assert planned(target, ClusterOptions(sandbox=True), NO_GRANTS).wishes.for_controller


@pytest.mark.parametrize(
    ("uid", "image", "refused"),
    [
        (UID, "x", ""),
        ("another", "x", "was started by somebody else, or from another machine"),
        (UID, "y", "the sandbox runs by another plan than the one of now"),
    ],
)
def test_a_pod_is_left_alone_that_this_machine_made_by_the_plan_of_now(
    target: Target, monkeypatch: pytest.MonkeyPatch, uid: str, image: str, refused: str
) -> None:
    made = planned(target, ClusterOptions(), NO_GRANTS)
    pod = pod_objects.pod_of(pod_objects.written(made.plan, made.wishes))
    pod["metadata"]["uid"] = uid
    pod["spec"]["nodeName"] = "n1"
    monkeypatch.setattr(waiting, "require_running", lambda *_: pod)
    monkeypatch.setattr(refresh, "newer", lambda *_: None)
    record = Record(UID, 1, "/workspaces/x", {}, [Lost("network", "not checked")])
    records.note(target.environ, TEAM, target.pod, record)
    now = planned(target, ClusterOptions(image=image), NO_GRANTS)
    if refused:
        with pytest.raises(UsageError, match=refused):
            reuse(target, now, print, is_refreshed=False)
        return
    started = reuse(target, now, print, is_refreshed=False)
    assert (started.how, started.uid, started.node) == ("already running", UID, "n1")
    assert [(each.control, each.why) for each in started.not_in_force] == [
        ("network", "not checked")
    ]
