"""What is said of a Sandbox of agent-sandbox that has no Pod, by the conditions of its controller."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sandboxd.backends.kubernetes import failures, sandboxes
from sandboxd.backends.kubernetes.api import Cluster


def sandbox(mode: str = "Running", **ready: str) -> dict[str, Any]:
    conditions = [{"type": "PodScheduled", "status": "False"}, {"type": "Ready", **ready}]
    return {"spec": {"operatingMode": mode}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (sandbox(reason="SandboxExpired", status="False"), "its time limit is over"),
        (sandbox("Suspended", reason="SandboxSuspended"), "somebody suspended it"),
        (sandbox(reason="DependenciesNotReady"), ""),
        ({"metadata": {}}, ""),
    ],
)
def test_the_end_of_a_sandbox_is_told_in_words(found: dict[str, Any], words: str) -> None:
    said = sandboxes.end_of(found)
    assert said.startswith(words) and bool(said) is bool(words)


def test_the_reason_of_a_sandbox_that_is_not_ready_is_its_controllers() -> None:
    words = "pods is forbidden:\n exceeded quota"
    failing = sandbox(reason="ReconcilerError", message=words, status="False")
    assert sandboxes.reason_of(failing) == "pods is forbidden: exceeded quota"
    assert sandboxes.reason_of(sandbox(reason="DependenciesNotReady")) == "DependenciesNotReady"
    assert sandboxes.reason_of(sandbox(status="True", reason="DependenciesReady")) == ""
    assert sandboxes.reason_of({}) == ""


class _Answers:
    def __init__(self, answer: dict[str, Any] | int) -> None:
        self._answer = answer

    def text(self, *_: str) -> dict[str, Any]:
        if isinstance(self._answer, int):
            raise failures.Refused(self._answer, "no", "")
        return self._answer

    get = text


def answering(answer: dict[str, Any] | int) -> Cluster:
    return cast("Cluster", _Answers(answer))


def test_a_cluster_has_them_by_the_version_that_is_written() -> None:
    assert sandboxes.are_there(answering({"resources": [{"name": "sandboxes"}]}))
    assert not sandboxes.are_there(answering({"resources": [{"name": "other"}]}))
    assert not sandboxes.are_there(answering(404))
    with pytest.raises(failures.Refused):
        sandboxes.are_there(answering(401))


def test_who_may_not_ask_has_made_none() -> None:
    assert sandboxes.find(answering(403), "name") is None
