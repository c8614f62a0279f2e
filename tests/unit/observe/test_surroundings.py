"""What surrounds a container: limits that hold, memory file systems with a size, and its neighbours."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import pytest

from sandboxd.engine import failures
from sandboxd.engine.client import Engine
from sandboxd.observe import surroundings
from sandboxd.observe.surroundings import Peer


class Neighbours:
    """An engine with two networks."""

    networks: ClassVar = {
        "a": {"own": "10.0.0.2", "beside": "10.0.0.3", "gone": "10.0.0.4", "stopped": "10.0.0.5"},
        "b": {"gateway": "10.1.0.1", "nowhere": "", "other": "10.1.0.2", "third": "10.1.0.3"},
    }
    pids: ClassVar = {
        "beside": 11,
        "stopped": 0,
        "gateway": 12,
        "nowhere": 13,
        "other": 14,
        "third": 15,
    }

    def network_containers(self, name: str) -> dict[str, str]:
        return self.networks[name]

    def inspect(self, container: str) -> dict[str, Any]:
        if container not in self.pids:
            raise failures.ContainerGone(container)
        return {"State": {"Pid": self.pids[container]}}

    def image_environment(self, _image: str) -> list[str]:
        return ["PATH", "TOKEN"]


def look(*left_out: str, **host: Any) -> surroundings.Surroundings:
    inspected = {
        "Id": "own",
        "HostConfig": host,
        "NetworkSettings": {"Networks": {"a": {}, "b": {}}},
    }
    engine = cast("Engine", Neighbours())
    return surroundings.look(engine, inspected, ["EDITOR", "PATH"], left_out)


def test_neighbours_are_the_others_that_run_on_its_networks() -> None:
    assert look("gateway").peers == (Peer("10.0.0.3", 11), Peer("10.1.0.2", 14))
    assert look().peers == (Peer("10.0.0.3", 11), Peer("10.1.0.1", 12))


def test_variables_are_those_of_the_config_and_of_the_image() -> None:
    assert look().environment == ("EDITOR", "PATH", "TOKEN")


@pytest.mark.parametrize(
    ("log", "bounded"),
    [
        ({"Type": "local"}, 1),
        ({"Type": "none"}, 1),
        ({"Type": "json-file", "Config": {"max-size": "10m"}}, 1),
        ({"Type": "json-file", "Config": {}}, 0),
        ({"Type": "json-file"}, 0),
        ({"Type": "syslog", "Config": {"max-size": "10m"}}, 0),
        ({}, 0),
    ],
)
def test_a_log_is_bounded_where_the_engine_rotates_it(log: dict[str, Any], bounded: int) -> None:
    assert look(LogConfig=log).limits["log"] == bounded


@pytest.mark.parametrize(
    ("options", "root"), [({"size": "1g"}, 1), ({"size": ""}, 0), ({}, 0), (None, 0)]
)
def test_the_root_is_bounded_by_an_option_of_the_storage(
    options: dict[str, str] | None, root: int
) -> None:
    assert look(StorageOpt=options).limits["root"] == root


def test_without_a_control_group_of_this_machine_what_was_asked_for_counts() -> None:
    asked = look(PidsLimit=100, Memory=1 << 30).limits
    assert (asked["processes"], asked["memory"]) == (100, 1 << 30)
    unlimited = look(PidsLimit=-1, Memory=0).limits
    assert (unlimited["processes"], unlimited["memory"]) == (0, 0)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ("size=10", 10),
        ("rw,size=2k", 2 << 10),
        ("SIZE=3M,mode=1777", 3 << 20),
        ("size=1g,uid=0", 1 << 30),
        ("rw", None),
        ("maxsize=10", None),
        ("size=10%", None),
    ],
)
def test_memory_file_systems_with_a_size(options: str, size: int | None) -> None:
    sizes = look(Tmpfs={"/tmp": options}).tmpfs
    assert sizes == ({} if size is None else {"/tmp": size})


def test_memory_file_systems_among_the_mounts() -> None:
    mounts = [
        {"Type": "tmpfs", "Target": "/a", "TmpfsOptions": {"SizeBytes": 5}},
        {"Type": "tmpfs", "Target": "/b"},
        {"Type": "volume", "Target": "/c", "TmpfsOptions": {"SizeBytes": 5}},
    ]
    assert look(Mounts=mounts).tmpfs == {"/a": 5}
