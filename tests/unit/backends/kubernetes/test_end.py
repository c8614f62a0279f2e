"""The end of a sandbox on a cluster, while another process of the user writes to it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends.kubernetes import end as pod_end
from sandboxd.backends.kubernetes import objects, records, work
from sandboxd.backends.kubernetes.target import Target
from tests.patience import PATIENCE
from tests.unit.operations.on_cluster.pods import TEAM, Pod


class Cluster:
    """Has the one Pod."""

    context = TEAM

    def get(self, *_: object) -> dict[str, Any]:
        return {"metadata": {"name": "x", "uid": "uid-1"}, "status": {"phase": "Running"}}

    def is_anothers(self, _: object) -> bool:
        return False


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    made = Pod(tmp_path, monkeypatch)
    (made.host / "notes").write_text("notes\n")
    made.send()
    return made


def target(pod: Pod) -> Target:
    cluster: Any = Cluster()
    return pod.target._replace(cluster=cluster)


def test_a_refresh_that_writes_to_it_ends_first(pod: Pod, monkeypatch: pytest.MonkeyPatch) -> None:
    (pod.host / "notes").write_text("newer notes\n")
    arrived: list[str] = []

    def take_away(*_: object) -> bool:
        arrived.append((pod.inside / "notes").read_text())
        return True

    monkeypatch.setattr(objects, "take_away", take_away)
    waits, said = threading.Event(), list[str]()

    def say(text: str) -> None:
        said.append(text)
        waits.set()

    def end() -> None:
        pod_end.end(target(pod), discard=True, say=say)

    ending = threading.Thread(target=end)

    def meanwhile() -> None:
        ending.start()
        assert waits.wait(PATIENCE)
        assert arrived == []

    pod.meanwhile = meanwhile
    assert pod.refresh().files == 1
    ending.join(PATIENCE)
    assert arrived == ["newer notes\n"]
    assert said == [
        "another process of yours sends newer files to the sandbox: waiting until it has done so"
    ]
    assert "another refresh" not in " ".join(pod.said), "it waited for nobody"
    assert records.recall(pod.environ, TEAM, pod.target.pod) is None


def test_nothing_is_waited_for_where_there_is_no_place_for_a_lock(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "take_away", lambda *_: True)
    state = Path(pod.environ["XDG_STATE_HOME"])
    state.rename(state.with_name("elsewhere"))
    state.write_text("no folder")
    said: list[str] = []
    assert pod_end.end(target(pod), discard=True, say=said.append)
    assert said == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_sandbox_whose_end_is_interrupted_after_its_work_was_kept_goes_on(
    pod: Pod, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    did: list[str] = []

    def fail(*_: object) -> bool:
        did.append("remove")
        raise error

    monkeypatch.setattr(pod_end, "_keep", lambda *_: did.append("keep"))
    monkeypatch.setattr(objects, "take_away", fail)
    monkeypatch.setattr(work, "let_go_on", lambda _target, uid: did.append(f"continue {uid}"))
    with pytest.raises(error):
        pod_end.end(target(pod), discard=False, say=lambda _: None)
    assert did == ["keep", "remove", "continue uid-1"]
