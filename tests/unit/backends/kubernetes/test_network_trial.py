"""What the kubelet says of the trial of a Pod's network: only what was seen counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd.backends.kubernetes import network_trial, waiting
from sandboxd.backends.kubernetes.network_trial import Trial
from sandboxd.model.labels import TRIAL

NONE = Trial("not checked", f"the Pod has no result of its container `{TRIAL}`")
MOMENT = "2026-11-30T12:00:00Z"


def pod(message: object, code: int = 0, name: str = TRIAL, **status: Any) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    ended = {"exitCode": code, "message": text, "finishedAt": MOMENT}
    return {
        "status": {
            "initContainerStatuses": [{"name": name, "state": {"terminated": ended}}],
            **status,
        }
    }


def seen(outcome: object, evidence: object = "three times") -> dict[str, object]:
    return {"outcome": outcome, "evidence": evidence}


@pytest.mark.parametrize(
    ("outcome", "code"), [("enforced", 0), ("open", 1), ("open", 0), ("not checked", 1)]
)
def test_an_outcome_is_told_with_its_evidence_and_its_time(outcome: str, code: int) -> None:
    trial = network_trial.of_pod(pod(seen(outcome, "a\nb" + "x" * 1000), code))
    assert (trial.outcome, trial.moment) == (outcome, MOMENT)
    assert trial.evidence.startswith("a bx") and len(trial.evidence) == 500
    assert trial.is_final()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"status": {}},
        {"status": {"initContainerStatuses": [{"name": TRIAL, "state": {"running": {}}}]}},
        pod(seen("enforced"), name="another"),
        pod(seen("enforced"), code=1),
        pod(seen("closed")),
        pod(seen(["enforced"])),
        pod({"outcome": "enforced"}),
        pod("enforced"),
        pod("[" * 100_000),
        pod([]),
    ],
)
def test_without_a_sound_result_nothing_was_checked(answer: dict[str, Any]) -> None:
    assert network_trial.of_pod(answer) == NONE
    assert not network_trial.of_pod(answer).is_final()


def test_a_pod_that_its_trial_held_up_says_so() -> None:
    answer = pod(seen("open"), code=1, phase="Failed")
    said = waiting.end_of(answer)
    assert f"its container `{TRIAL}` did not let it start" in said and '"open"' in said


def test_an_image_of_the_trial_that_cannot_be_pulled_is_named_by_its_option() -> None:
    state = {"waiting": {"reason": "ErrImagePull", "message": "no such manifest"}}
    answer = {
        "metadata": {"name": "x"},
        "spec": {
            "initContainers": [{"name": TRIAL, "image": "python:3-slim"}],
            "containers": [{"name": "workspace", "image": "img:1"}],
        },
        "status": {"initContainerStatuses": [{"name": TRIAL, "state": state}]},
    }
    fault = waiting._fault(None, answer)  # type: ignore[arg-type]
    assert "`python:3-slim` cannot be pulled" in fault.text
    assert "--gateway-image NAME" in fault.hint
