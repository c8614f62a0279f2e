"""Which containers are sandboxes: labels alone are not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.policy.labels import MADE_BY, UP
from sandboxd.sandbox import failures, run
from tests.unit.sandbox.fake_engine import answering

BIND = {"Type": "bind", "Source": "/home/dev/weather"}
PIN = {"Type": "volume", "Name": "sandboxd-pin-0011223344556677"}
OTHER = {"Type": "volume", "Name": "cache"}


def labelled(mounts: list[dict[str, str]]) -> Any:
    """An engine with one running container that says it is the sandbox of `/`."""
    labels = {run.PROJECT: "/", MADE_BY: UP}
    listed = [{"Id": "a", "Names": ["/a"], "State": "running", "Labels": labels}]

    def answer(method: str, target: str) -> tuple[int, object]:
        if "/containers/json" in target:
            return 200, listed
        return 200, {"Id": "a", "Mounts": mounts}

    return answering(answer)


@pytest.mark.parametrize(
    ("mounts", "found"), [([], False), ([OTHER], False), ([OTHER, BIND], True), ([PIN], True)]
)
def test_an_image_with_our_labels_is_no_sandbox(mounts: list[dict[str, str]], found: bool) -> None:
    with labelled(mounts) as engine:
        assert bool(run.find_all(engine)) == found
        assert (run.find(engine, "/") is not None) == found
        if not found:
            with pytest.raises(failures.ContainerGone):
                run.locate(engine, "/home/dev/other")


@pytest.mark.parametrize("options", [{"type": "none", "o": "bind", "device": "/"}, {}, None])
def test_a_volume_that_stands_for_a_folder_is_refused(options: dict[str, str] | None) -> None:
    body = {"HostConfig": {"Mounts": [{"Type": "volume", "Source": "cache", "Target": "/c"}]}}

    def answer(method: str, target: str) -> tuple[int, object]:
        return 200, {"Name": "cache", "Options": options}

    with answering(answer) as engine:
        if options:
            with pytest.raises(EnvironmentFailure, match="`cache` stands for `/`"):
                run.check_volumes(engine, json.loads(json.dumps(body)))
        else:
            run.check_volumes(engine, body)
