"""What the engine says, on recorded answers; the request of a plan reads as the container it makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.model.container import Device, Mount, Pair
from sandboxd.model.labels import MADE_BY
from sandboxd.observe import inspection
from sandboxd.observe.drift import Drift, differences

HERE = Path(__file__).parent
RECORDED = sorted(path.name.split(".")[0] for path in HERE.glob("*.inspect.json"))


def recorded(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((HERE / f"{name}.inspect.json").read_text())
    return record


def request_of(inspected: dict[str, Any]) -> dict[str, Any]:
    """The create request that an inspect answer repeats."""
    return {**inspected["Config"], "HostConfig": inspected["HostConfig"]}


def test_a_hardened_container() -> None:
    container = inspection.container(recorded("runc-dev"))
    assert container.name == "weather-runc-dev"
    assert container.runtime is not None
    assert container.runtime.value == "runc"
    assert [cap.value for cap in container.cap_drop] == ["ALL"]
    assert [cap.value for cap in container.cap_add] == [
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "SETGID",
        "SETUID",
    ]
    assert container.user is not None
    assert container.user.value == "1000:1000"
    assert container.network is not None
    assert container.network.value == "bridge"
    assert not container.is_privileged()
    assert container.pid is None
    option = container.option("no-new-privileges")
    assert option is not None
    assert option.value.value == "true"
    mounts = [value.value for value in container.mounts]
    assert Mount("bind", "/home/dev/ws", "/workspaces/ws") in mounts
    pin = Mount("bind", "/home/dev/ws/.git/hooks", "/workspaces/ws/.git/hooks", read_only=True)
    assert pin in mounts
    assert container.memory is not None
    assert container.memory.value == str(8 * 1024**3)
    assert container.pids_limit is not None
    assert container.pids_limit.value == 4096
    assert container.runtime.origin.kind == "engine"


def test_a_gvisor_container() -> None:
    container = inspection.container(recorded("runsc-agent"))
    assert container.uses_gvisor()
    assert container.network is not None
    assert container.network.value == "none"
    assert [v.value for v in container.annotations] == [Pair("dev.gvisor.flag.oci-seccomp", "true")]
    assert [v.value for v in container.ulimits] == [Pair("nproc", "1024:1024")]
    assert container.pids_limit is None


def test_a_weak_container() -> None:
    container = inspection.container(recorded("weak"))
    assert container.is_privileged()
    assert container.pid is not None
    assert container.pid.value == "host"
    assert container.network is not None
    assert container.network.value == "host"
    assert container.user is None
    options = [(o.value.name, o.value.value) for o in container.security_opt]
    assert options == [
        ("no-new-privileges", "false"),
        ("seccomp", "unconfined"),
        ("label", "disable"),
    ]
    mounts = [value.value for value in container.mounts]
    assert Mount("bind", "/run/docker.sock", "/var/run/docker.sock") in mounts
    assert Mount("tmpfs", "", "/scratch", True, ("size=16m", "ro")) in mounts
    assert Mount("bind", "/srv/data", "/data", False, ("bind-propagation=private",)) in mounts
    assert [d.value for d in container.devices] == [Device("/dev/null", "/dev/zero2", "rwm")]
    assert Pair("A", "b=c") in [v.value for v in container.env]
    assert container.cpus is not None
    assert container.cpus.value == "1.5"
    assert container.read_only_rootfs is not None
    assert container.read_only_rootfs.value


@pytest.mark.parametrize("name", RECORDED)
def test_a_request_and_its_container_do_not_differ(name: str) -> None:
    inspected = recorded(name)
    asked = inspection.requested(request_of(inspected))
    assert differences(asked, inspection.container(inspected)) == ()


def test_a_seccomp_profile_is_the_same_however_it_is_spaced() -> None:
    one = inspection.seccomp_identity('{"defaultAction": "A", "syscalls": []}')
    assert one == inspection.seccomp_identity('{"syscalls":[],"defaultAction":"A"}')
    assert one != inspection.seccomp_identity('{"syscalls":[],"defaultAction":"B"}')
    assert inspection.seccomp_identity("unconfined") == "unconfined"


def test_an_answer_without_optional_fields_is_read() -> None:
    container = inspection.container({"Id": "abc", "Name": "/x"})
    assert container.mounts == ()
    assert container.runtime is None
    assert container.network is not None
    assert container.network.value == "bridge"


def test_every_weakening_is_drift() -> None:
    inspected = recorded("runc-dev")
    planned = inspection.requested(request_of(inspected))
    host = inspected["HostConfig"]
    host["Privileged"] = True
    host["PidMode"] = "host"
    host["CapAdd"] = [*host["CapAdd"], "CAP_SYS_ADMIN"]
    host["SecurityOpt"] = ["no-new-privileges=true", "seccomp=unconfined"]
    host["Runtime"] = "other"
    for mount in inspected["Mounts"]:
        if mount["Destination"].endswith("/.git/hooks"):
            mount["RW"] = True
    inspected["Mounts"].append(
        {"Type": "bind", "Source": "/", "Destination": "/host", "RW": False, "Propagation": ""}
    )
    drifts = differences(planned, inspection.container(inspected))
    assert Drift("privileged", "false", "true") in drifts
    assert Drift("pid", "", "host") in drifts
    assert Drift("cap-add", "", "SYS_ADMIN") in drifts
    assert Drift("runtime", "runc", "other") in drifts
    assert Drift("mount /host", "", "bind / read-only") in drifts
    hooks = "/home/dev/ws/.git/hooks"
    assert (
        Drift(
            "mount /workspaces/ws/.git/hooks", f"bind {hooks} read-only", f"bind {hooks} read-write"
        )
        in drifts
    )
    assert {d.control for d in drifts if d.live == "unconfined"} == {"seccomp"}
    assert len(drifts) == 7


def test_a_secret_in_the_environment_is_not_shown() -> None:
    inspected = recorded("weak")
    planned = inspection.requested(request_of(inspected))
    inspected["Config"]["Env"] = ["A=other", "PATH=/usr/bin:/usr/sbin"]
    assert differences(planned, inspection.container(inspected)) == (
        Drift("env A", "set", "other value"),
    )


@pytest.mark.parametrize("made_by", ["up", "editor", ""])
def test_settings_of_git_are_missed_in_what_up_made_alone(made_by: str) -> None:
    inspected = recorded("weak")
    body = json.loads(json.dumps(request_of(inspected)))
    body["Env"] += ["GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=me"]
    inspected["Config"]["Labels"] = {**(inspected["Config"]["Labels"] or {}), MADE_BY: made_by}
    drifts = differences(inspection.requested(body), inspection.container(inspected))
    missed = {drift.control for drift in drifts if "GIT_CONFIG" in drift.control}
    assert len(missed) == (3 if made_by == "up" else 0)


def test_what_the_plan_leaves_to_the_engine_is_no_drift() -> None:
    inspected = recorded("runc-dev")
    body = request_of(json.loads(json.dumps(inspected)))
    del body["HostConfig"]["Runtime"], body["User"]
    assert differences(inspection.requested(body), inspection.container(inspected)) == ()


@pytest.mark.parametrize(
    ("mount", "options"),
    [
        ({}, ()),
        ({"Propagation": ""}, ()),
        ({"Propagation": "rprivate"}, ()),
        ({"Propagation": "rshared"}, ("bind-propagation=rshared",)),
    ],
)
def test_what_a_mount_passes_on_is_told_where_the_engine_says_it(
    mount: dict[str, str], options: tuple[str, ...]
) -> None:
    inspected = recorded("runc-dev")
    inspected["Mounts"] = [{"Type": "bind", "Source": "/a", "Destination": "/b", **mount}]
    [read] = [m.value for m in inspection.container(inspected).mounts if m.value.target == "/b"]
    assert read.options == options
