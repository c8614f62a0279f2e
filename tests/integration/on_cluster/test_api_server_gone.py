"""The API server is gone for a while, or for good, at any moment of a start."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends.kubernetes import patience
from sandboxd.backends.kubernetes import state as pod_state
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.backends.kubernetes.target import running_pod
from sandboxd.errors import EnvironmentFailure, UsageError
from tests.integration.on_cluster.conftest import Laptop
from tests.light_cluster import LightCluster
from tests.patience import eventually


def is_patient(text: str) -> bool:
    """Whether `up` says that it goes on: with a request, or with the copy."""
    return "asking again for up to 60 s" in text or "copying goes on where it stopped" in text


class Outage:
    """An API server that goes away during a test."""

    def __init__(self, cluster: LightCluster) -> None:
        self._cluster = cluster
        self._is_over = threading.Event()
        self._threads: list[threading.Thread] = []

    def after(self, count: int, laptop: Laptop | None = None) -> None:
        """Stop the API server with the request number `count` of those that come from now on.

        :param laptop: it is started again once this one has said that it goes on without an answer; None: it stays away
        """
        check, left = self._cluster.api.check, [count]

        def counted(*arguments: object) -> object:
            left[0] -= 1
            if not left[0]:
                self._threads.append(threading.Thread(target=go))
                self._threads[-1].start()
            return check(*arguments)  # type: ignore[arg-type]

        def go() -> None:
            self._cluster.server.stop()
            if laptop is not None:
                said = laptop.said
                eventually(lambda: self._is_over.is_set() or any(map(is_patient, said)))
                self._cluster.server.start()

        self._cluster.api.check = counted  # type: ignore[method-assign, assignment]

    def end(self) -> None:
        """Let nothing of it outlive a test that failed."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def outage(cluster: LightCluster) -> Iterator[Outage]:
    result = Outage(cluster)
    yield result
    result.end()


@pytest.mark.parametrize("count", [2, 5, 8])
def test_a_start_goes_on_where_the_api_server_comes_back(
    outage: Outage, laptop: Laptop, count: int
) -> None:
    outage.after(count, laptop)
    assert laptop.up().how == "started"
    assert any(is_patient(text) for text in laptop.said)
    assert (laptop.inside / "main.py").read_text() == "print('sunny')\n"
    assert laptop.up().how == "already running"


def test_what_a_start_could_not_take_away_is_named_and_taken_up(
    cluster: LightCluster, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BOUND_SECONDS", 0.5)
    cluster.before_command = lambda _: cluster.server.stop()
    monkeypatch.setattr("sandboxd.operations.on_cluster._deliver._TRIES", 2)
    with pytest.raises(EnvironmentFailure):
        laptop.up()
    left = [text for text in laptop.said if "is still on the cluster" in text]
    assert len(left) == 1 and "`sandboxd up --on team` takes it away and starts anew" in left[0]
    assert cluster.names()
    cluster.before_command = lambda _: None
    cluster.server.start()
    target = laptop.target
    (row,) = pod_state.list_all(target.cluster, laptop.environ)
    assert row.is_ours and row.state == "starting" and "was cut off" in row.why
    with pytest.raises(PodGone, match="the workspace in it is not whole"):
        running_pod(target)
    assert laptop.up().how == "started"
    assert any("an earlier start of this sandbox did not end" in text for text in laptop.said)
    assert running_pod(target)["metadata"]["name"] == target.pod


def test_what_is_left_of_a_start_goes_with_down(
    cluster: LightCluster, outage: Outage, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "BOUND_SECONDS", 0.1)
    outage.after(6)
    with pytest.raises(EnvironmentFailure):
        laptop.up()
    assert cluster.names()
    cluster.server.start()
    laptop.down()
    assert cluster.names() == []


def test_an_api_server_that_never_answered_is_not_waited_for(
    cluster: LightCluster, laptop: Laptop
) -> None:
    target = laptop.target
    cluster.server.stop()
    with pytest.raises(EnvironmentFailure, match="cannot be reached"):
        running_pod(target)
    assert laptop.said == []
    cluster.server.start()


def test_objects_of_another_machine_are_left_alone(
    cluster: LightCluster, laptop: Laptop, tmp_path: Path
) -> None:
    """The same login and folder on another machine lead to the same names."""
    laptop.up()
    before = cluster.names()
    other = Laptop(cluster, tmp_path, "beth")
    with pytest.raises(UsageError, match="was started by somebody else"):
        other.up()
    with pytest.raises(UsageError, match="from another machine"):
        other.down(discard=True)
    assert cluster.names() == before
    cluster.store.remove("Pod", "default", laptop.target.pod)
    with pytest.raises(UsageError, match="was made by somebody else, or from another machine"):
        other.up()
    assert [name for name in before if not name.startswith("Pod ")] == cluster.names()
    other.close()


def test_no_store_without_a_leader_ends_a_start(cluster: LightCluster, laptop: Laptop) -> None:
    cluster.fault(500, "patch", "pods", message="etcdserver: leader changed", times=2)
    cluster.fault(504, "get", "pods", message="the request timed out", times=1)
    assert laptop.up().how == "started"
