"""What a cluster made of an object is told field by field; what every cluster adds is not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sandboxd.backends.kubernetes.admission import differences

POD: dict[str, Any] = {
    "metadata": {"name": "x", "labels": {"a": "1"}},
    "spec": {
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "workspace",
                "image": "img:1",
                "command": ["sleep"],
                "env": [{"name": "A", "value": "1"}],
                "securityContext": {"capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": True},
                "resources": {"limits": {"memory": "8192Mi", "cpu": "0.5"}},
            }
        ],
        "volumes": [{"name": "home", "emptyDir": {"sizeLimit": "2048Mi"}}],
    },
}  # fmt: skip


def changed(**paths: Any) -> dict[str, Any]:
    pod = copy.deepcopy(POD)
    container = pod["spec"]["containers"][0]
    for key, value in paths.items():
        (container if key in container or key == "envFrom" else pod["spec"])[key] = value
    return pod


def test_defaults_and_other_spellings_of_a_quantity_are_no_change() -> None:
    theirs = changed(resources={"limits": {"memory": "8Gi", "cpu": "500m"}})
    theirs["spec"] |= {"schedulerName": "default-scheduler", "tolerations": [{"key": "x"}]}
    theirs["spec"]["containers"][0] |= {"terminationMessagePath": "/dev/termination-log"}
    assert differences(POD, theirs) == []


@pytest.mark.parametrize(
    ("theirs", "line"),
    [
        (changed(image="mirror/img:1"), "`spec.containers[workspace].image` is `mirror/img:1`, and was `img:1`"),
        (
            changed(securityContext={"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}, "readOnlyRootFilesystem": True}),
            "`spec.containers[workspace].securityContext.capabilities.add` was added: `['SYS_ADMIN']`",
        ),
        (
            changed(securityContext={"capabilities": {"drop": ["ALL"]}}),
            "`spec.containers[workspace].securityContext.readOnlyRootFilesystem` was taken away: it was `True`",
        ),
        (changed(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]), "`spec.containers[workspace].env` has one more: `B`"),
        (changed(hostNetwork=True), "`spec.hostNetwork` was added: `True`"),
        (
            changed(volumes=[{"name": "home", "emptyDir": {"sizeLimit": "2Gi"}}, {"name": "kube-api-access-1"}]),
            "`spec.volumes` has one more: `kube-api-access-1`",
        ),
        (
            changed(containers=[*POD["spec"]["containers"], {"name": "istio-proxy"}]),
            "`spec.containers` has one more: `istio-proxy`",
        ),
        (changed(resources={"limits": {"memory": "4Gi", "cpu": "500m"}}), "`spec.containers[workspace].resources.limits.memory` is `4Gi`, and was `8192Mi`"),
        (changed(automountServiceAccountToken=None), "`spec.automountServiceAccountToken` was taken away: it was `False`"),
    ],
)  # fmt: skip
def test_a_change_is_named(theirs: dict[str, Any], line: str) -> None:
    assert [each.words for each in differences(POD, theirs)] == [line]
