"""A service that is held less than `up` holds it is named: by what the engine says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.life import services
from sandboxd.life.services import Surroundings
from sandboxd.life.services_look import weakness
from sandboxd.observe import inspection
from sandboxd.plan.writers.engine import arguments
from tests.unit.plan.test_services import INNER, planned

AROUND = Surroundings(INNER, "/state/resolv.conf", "workspace-id", "now")
TRUSTED = 'runtime = "runc"\nprofile = "trusted"\n[network]\nmode = "allow"\n'


def weakness_of(
    folder: Path, toml: str, service: dict[str, Any], mounts: Any = None, **changes: Any
) -> str:
    """What is said of a service that runs as `up` asks for it, but for `changes` of its `HostConfig`."""
    plan = planned(folder, toml=toml, db=service)
    body = services.body(plan.services[0], plan, AROUND)
    host = body["HostConfig"] | {"NetworkMode": plan.container.name} | changes
    sandbox = arguments(plan)
    inspected = {"Id": "x", "Config": {**body}, "HostConfig": host, "State": {}, "Mounts": mounts}
    live = inspection.container(
        {"Id": "w", "Config": {**sandbox}, "HostConfig": sandbox["HostConfig"], "State": {}}  # type: ignore[typeddict-item]
    )
    return weakness(inspected, live, "workspace-id")  # type: ignore[arg-type]


@pytest.mark.parametrize("toml", ["", 'runtime = "runc"\n', TRUSTED])
@pytest.mark.parametrize(
    "service",
    [
        {"image": "postgres"},
        {"image": "mine", "cap_add": ["KILL"]},
        {"image": "memcached", "user": "5"},
        {"image": "postgres", "network_mode": "service:app"},
    ],
)
def test_one_that_is_as_up_asks_for_it_has_no_weakness(
    tmp_path: Path, toml: str, service: dict[str, Any]
) -> None:
    assert weakness_of(tmp_path, toml, service) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Privileged": True}, "is privileged"),
        ({"CapDrop": None}, "has not all capabilities dropped"),
        ({"CapAdd": ["CAP_SYS_NICE"]}, "has the capability `SYS_NICE`"),
        ({"SecurityOpt": None}, "can gain privileges"),
        ({"SecurityOpt": ["no-new-privileges=false"]}, "can gain privileges"),
        ({"SecurityOpt": ["no-new-privileges"]}, "has another `seccomp` than the sandbox"),
        ({"Runtime": "another"}, "has another runtime than the sandbox"),
        ({"NetworkMode": "host"}, "is on the network `host`"),
        ({"IpcMode": "host"}, "has `IpcMode`"),
        ({"PidMode": "host"}, "has `PidMode`"),
        ({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}, "has `DeviceRequests`"),
    ],
)
def test_each_right_beyond_is_a_weakness(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    assert weakness_of(tmp_path, 'runtime = "runc"\n', {"image": "postgres"}, **changes) == why


def test_a_folder_of_the_host_is_a_weakness_and_the_file_of_names_is_none(tmp_path: Path) -> None:
    names = {"Type": "bind", "Source": "/state/resolv.conf", "Destination": "/etc/resolv.conf"}
    assert weakness_of(tmp_path, "", {"image": "a"}, [names]) == ""
    folder = {"Type": "bind", "Source": "/etc", "Destination": "/x"}
    assert weakness_of(tmp_path, "", {"image": "a"}, [names, folder]) == "mounts `/etc` of the host"
