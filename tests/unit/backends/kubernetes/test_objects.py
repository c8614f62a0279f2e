"""The objects of a sandbox on a cluster: those of a Sandbox hold the same Pod, with an end by the server's clock."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest

from sandboxd.backends.kubernetes import objects as pod_objects
from sandboxd.backends.kubernetes.api import Cluster
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.plan import cluster as plan_cluster
from sandboxd.plan.grants import Grants
from tests.unit.plan.examples import plan

SCHEMA = Path(__file__).parents[2] / "plan" / "agent_sandbox_schema.json"
WISHES = plan_cluster.Cluster(
    image="a:1", runtime_class="gvisor", gateway_image="p:3", gateway_address="10.96.0.9"
)


class _Server:
    """Makes what it is given, at a time of its own."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []

    def apply(self, document: dict[str, Any]) -> dict[str, Any]:
        self.made.append(copy.deepcopy(document))
        metadata = {**document["metadata"], "creationTimestamp": "2031-02-03T23:30:00Z"}
        return {**document, "metadata": metadata}


def written(*, for_controller: bool) -> list[dict[str, Any]]:
    wishes = WISHES._replace(for_controller=for_controller)
    chosen = plan('profile = "untrusted"', plan_cluster.facts(wishes), grants=Grants())
    return pod_objects.written(chosen, wishes)


def test_a_sandbox_has_the_pod_that_would_be_made_without_it() -> None:
    alone, inside = (pod_objects.pod_of(written(for_controller=each)) for each in (False, True))
    assert alone["spec"] == inside["spec"]
    assert alone["metadata"].keys() == inside["metadata"].keys()
    assert inside["metadata"]["labels"][MADE_BY] == UP
    sandbox = written(for_controller=True)[-1]
    assert sandbox["metadata"]["labels"][MADE_BY] == UP
    annotations = sandbox["spec"]["podTemplate"]["metadata"]["annotations"]
    assert pod_objects.PLAN in annotations
    assert annotations == inside["metadata"]["annotations"]


@pytest.mark.parametrize(("seconds", "end"), [(3600, "2031-02-04T00:30:00Z"), (0, None)])
def test_a_sandbox_ends_by_the_clock_of_its_cluster(seconds: int, end: str | None) -> None:
    server = _Server()
    objects = written(for_controller=True)
    assert pod_objects.make(cast("Cluster", server), objects, seconds, lambda _: None) == []
    sandbox = server.made[-1]
    assert sandbox["kind"] == "Sandbox" and sandbox["spec"].get("shutdownTime") == end
    jsonschema_rs.validate(json.loads(SCHEMA.read_text()), sandbox["spec"], validate_formats=True)
    with pytest.raises(jsonschema_rs.ValidationError):
        other = {**sandbox["spec"], "replicas": 1}
        jsonschema_rs.validate(json.loads(SCHEMA.read_text()), other)
