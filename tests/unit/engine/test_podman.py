"""Podman's words for what Docker's clients say and read: requests that it refuses otherwise, and its descriptions."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine import podman
from sandboxd.engine.client import Engine
from sandboxd.engine.contexts import Identity
from sandboxd.engine.failures import EngineFailure
from sandboxd.errors import EnvironmentFailure
from sandboxd.inside.escapes import engine_socket
from sandboxd.model.engine_answers import CreateRequest, Inspected
from sandboxd.observe import inspection
from sandboxd.observe.drift import differences
from tests.unit.engine.fake_engine import PODMAN, answering_to_bodies

FILTER = '{"defaultAction":"SCMP_ACT_ALLOW"}'
RECORDED = json.loads((Path(__file__).parent / "podman-5.4.2.json").read_text())
"""Both answers of Podman 5.4.2 about a container that `BODY` made."""
KEPT = "/home/dev/.local/state/sandboxd/seccomp/sec.json"

BODY: CreateRequest = {
    "Image": "sandboxd-busybox:1",
    "Cmd": ["sleep", "600"],
    "Env": ["A=1"],
    "Labels": {"x": "y"},
    "HostConfig": {
        "NanoCpus": 900_000_000,
        "Memory": 512 << 20,
        "PidsLimit": 100,
        "CapDrop": ["ALL"],
        "CapAdd": ["CHOWN"],
        "SecurityOpt": ["no-new-privileges", f"seccomp={FILTER}"],
        "NetworkMode": "none",
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
        "Annotations": {"dev.x": "1"},
        "ReadonlyRootfs": True,
        "Tmpfs": {"/tmp": "rw,size=1m"},
        "Mounts": [
            {"Type": "bind", "Source": "/home/dev/weather", "Target": "/w", "ReadOnly": True},
            {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1 << 20}},
            {"Type": "volume", "Source": "v1", "Target": "/v"},
        ],
    },
}


def described(compat: dict[str, Any] | None = None, own: dict[str, Any] | None = None) -> Inspected:
    texts = {KEPT: FILTER}
    answer: Any = {**RECORDED["compat"], **(compat or {})}
    return podman.description(
        answer, {**RECORDED["own"], **(own or {})}, lambda path: texts.get(path, path)
    )


def changed(**fields: Any) -> dict[str, Any]:
    """The recorded answer with other values in its `HostConfig`."""
    return {"HostConfig": {**RECORDED["compat"]["HostConfig"], **fields}}


def drifts(live: Inspected) -> list[str]:
    found = differences(inspection.requested(BODY), inspection.container(live))
    return [f"{one.control}: {one.planned!r}, {one.live!r}" for one in found]


def test_a_container_that_is_as_planned_has_no_difference() -> None:
    assert drifts(described()) == []
    assert len(drifts(RECORDED["compat"])) > 10, "in Podman's own words it seems to have many"


def test_the_runtime_is_named_by_its_program() -> None:
    assert described()["HostConfig"]["Runtime"] == "runc"
    by_path = described(own={"OCIRuntime": "/usr/bin/runsc"})
    assert by_path["HostConfig"]["Runtime"] == "runsc"
    assert described(own={"OCIRuntime": ""})["HostConfig"]["Runtime"] == "oci", "not known"


@pytest.mark.parametrize(
    ("live", "control"),
    [
        (changed(PidMode="host"), "pid"),
        (changed(UTSMode="host"), "uts"),
        (changed(IpcMode="shareable"), "ipc"),
        (changed(SecurityOpt=["no-new-privileges", "seccomp=unconfined"]), "seccomp"),
        (changed(SecurityOpt=["no-new-privileges", "seccomp=/etc/other.json"]), "seccomp"),
        (changed(Memory=0), "memory"),
        (changed(NanoCpus=0), "cpus"),
        (changed(PidsLimit=4096), "pids-limit"),
        (changed(Annotations={"dev.x": "1", "run.oci.keep_original_groups": "1"}), "annotations"),
        (changed(Privileged=True), "privileged"),
        ({"Config": {**RECORDED["compat"]["Config"], "Image": "quay.io/other:1"}}, "image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_real_difference_is_one(live: dict[str, Any], control: str) -> None:
    assert [drift.partition(":")[0] for drift in drifts(described(live))] == [control]


def test_capabilities_are_those_that_are_in_force() -> None:
    more = described(own={"BoundingCaps": ["CAP_CHOWN", "CAP_SYS_ADMIN"]})
    assert drifts(more) == ["cap-add: '', 'SYS_ADMIN'"]
    none = described(own={"BoundingCaps": None})["HostConfig"]
    assert (none["CapDrop"], none["CapAdd"]) == (["ALL"], [])
    # No difference from its default: nothing was asked for.
    default = described(changed(CapDrop=[], CapAdd=[]))["HostConfig"]
    assert (default["CapDrop"], default["CapAdd"]) == ([], [])


def test_the_default_network_has_docker_s_name() -> None:
    networks = {"NetworkSettings": {"Networks": {"podman": {"Gateway": "10.88.0.1"}}}}
    live = inspection.container(described({**changed(NetworkMode="bridge"), **networks}))
    assert live.network is not None
    assert live.network.value == "bridge"


def test_a_network_that_somebody_made_has_its_name() -> None:
    def mode(**joined: dict[str, str]) -> object:
        settings = {"NetworkSettings": {"Networks": joined}}
        return described({**changed(NetworkMode="bridge"), **settings})["HostConfig"]["NetworkMode"]

    assert mode(inner={}) == "inner"
    assert mode(inner={}, other={}) is None, "the first of both is not told"
    assert mode() == "bridge"
    settings = {"NetworkSettings": {"Networks": {"inner": {"Gateway": "<nil>"}}}}
    (endpoint,) = described(settings)["NetworkSettings"]["Networks"].values()
    assert endpoint["Gateway"] == "", "no address is no address"


def test_no_ipv6_on_a_network_that_somebody_made() -> None:
    """Docker gives none there; at the link-local address of Podman's bridge its host would answer."""

    def switches(mode: str) -> object:
        body: Any = copy.deepcopy(BODY)
        body["HostConfig"]["NetworkMode"] = mode
        return podman.request(body, kept)["HostConfig"].get("Sysctls")

    assert switches("inner") == {
        "net.ipv6.conf.eth0.disable_ipv6": "1",
        "net.ipv6.conf.default.disable_ipv6": "1",
    }
    for mode in ("none", "host", "bridge", "container:c1", ""):
        assert switches(mode) is None, mode


def test_processors_are_given_once() -> None:
    """It gives period and quota beside the number, and refuses a request that has both."""
    host: Any = described()["HostConfig"]
    assert (host["NanoCpus"], host["CpuPeriod"], host["CpuQuota"]) == (900_000_000, 0, 0)


def kept(text: str) -> str:
    return f"/kept/{text}"


def test_a_filter_is_a_file_and_a_word_stays_a_word() -> None:
    host = podman.request(BODY, kept)["HostConfig"]
    assert host["SecurityOpt"] == ["no-new-privileges", f"seccomp=/kept/{FILTER}"]
    open_ = copy.deepcopy(BODY)
    open_["HostConfig"]["SecurityOpt"] = ["seccomp=unconfined"]
    assert podman.request(open_, kept)["HostConfig"]["SecurityOpt"] == ["seccomp=unconfined"]
    assert BODY["HostConfig"]["SecurityOpt"] == ["no-new-privileges", f"seccomp={FILTER}"]


def test_no_other_container_joins_its_ipc_namespace() -> None:
    assert "private" in str(podman.request(BODY, kept)["HostConfig"].get("IpcMode"))


def test_memory_is_open_to_who_it_is_for() -> None:
    body: Any = copy.deepcopy(BODY)
    body["User"] = "1000:100"
    body["HostConfig"]["Tmpfs"] = {
        "/home": "rw,exec,mode=700,uid=1000,gid=100",
        "/of-another": "rw,uid=7,gid=7,tmpcopyup",
    }
    host = podman.request(body, kept)["HostConfig"]
    assert host["Tmpfs"] == {
        "/home": "rw,exec,mode=700,U,notmpcopyup",
        "/of-another": "rw,uid=7,gid=7,tmpcopyup,noexec",
    }
    memory = next(mount for mount in host["Mounts"] or [] if mount["Type"] == "tmpfs")
    assert memory["TmpfsOptions"] == {"SizeBytes": 1 << 20, "Mode": 0o1777}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "sandboxd" / "seccomp"


def test_a_kept_filter_is_read_back_only_with_the_bytes_that_it_was_kept_with(state: Path) -> None:
    path = Path(podman.keep_filter(FILTER))
    assert path.parent == state
    assert path.stat().st_mode & 0o777 == 0o600
    assert podman.kept_filter(str(path)) == FILTER
    path.write_text(FILTER + " ")
    assert podman.kept_filter(str(path)) == str(path)
    path.unlink()
    assert podman.kept_filter(str(path)) == str(path)
    other = state.parent / path.name
    other.write_text(FILTER)
    assert podman.kept_filter(str(other)) == str(other)


def test_an_engine_that_signs_as_podman_is_spoken_to_so(state: Path) -> None:
    requests = []

    def answer(method: str, target: str, body: bytes) -> tuple[int, object]:
        requests.append(f"{method} {target.partition('?')[0]}")
        if target.startswith("/containers/create"):
            (option,) = json.loads(body)["HostConfig"]["SecurityOpt"][1:]
            assert Path(option.removeprefix("seccomp=")).read_text() == FILTER
            return 201, {"Id": "c"}
        return 200, RECORDED["own" if "libpod" in target else "compat"]

    with answering_to_bodies(answer, PODMAN) as engine:
        assert engine.is_podman()
        assert engine.create("c", BODY) == "c"
        assert engine.inspect("c")["HostConfig"]["Runtime"] == "runc"
    assert requests[:2] == ["GET /libpod/info", "POST /containers/create"]
    with answering_to_bodies(answer) as engine:
        assert not engine.is_podman()
        assert engine.inspect("c")["HostConfig"]["Runtime"] == "oci"


def test_a_volume_that_stands_for_a_folder_is_made_before_it_is_mounted() -> None:
    """Podman makes an empty one of what the request says: the folder would seem to be empty inside."""
    wanted = {"type": "none", "o": "bind,ro", "device": "/home/dev/weather/.vscode"}
    body: Any = copy.deepcopy(BODY)
    body["HostConfig"]["SecurityOpt"] = []
    body["HostConfig"]["Mounts"].append(
        {
            "Type": "volume",
            "Source": "pin",
            "Target": "/p",
            "VolumeOptions": {"DriverConfig": {"Options": wanted}},
        }
    )
    requests: list[tuple[str, Any]] = []
    there = {"Options": wanted}

    def answer(method: str, target: str, sent: bytes) -> tuple[int, object]:
        if method == "GET":
            return 404, {"message": "not told"}
        requests.append((target.partition("?")[0], json.loads(sent)))
        return 201, {"Id": "c"} if "containers" in target else there

    with answering_to_bodies(answer, PODMAN) as engine:
        engine.create("c", body)
        assert [path for path, _ in requests] == ["/volumes/create", "/containers/create"]
        assert requests[0][1]["DriverOpts"] == wanted
        there["Options"] = {}
        with pytest.raises(EnvironmentFailure, match="`pin` stands for something else"):
            engine.create("c", body)


def test_podman_has_one_identity_on_both_sides_of_the_border() -> None:
    """Its service makes up another `ID` for each answer: a socket inside would be nobody's."""
    info = {"Name": "host", "DockerRootDir": "/var/lib/containers/storage"}
    ids = iter("ab")

    def answer(_method: str, target: str, _body: bytes) -> tuple[int, object]:
        return (404, {}) if "libpod" in target else (200, {**info, "ID": next(ids)})

    with answering_to_bodies(answer, PODMAN) as engine:
        first, second = engine.info(), engine.info()
    assert first["ID"] == second["ID"] == engine_socket.podman_identity(info)
    assert podman.identity({**info, "DockerRootDir": "/elsewhere"}) != first["ID"]


def test_podman_is_told_to_kill_before_it_removes() -> None:
    """It would wait ten seconds for a first process that hears no signal."""
    requests = []

    def answer(method: str, target: str, _body: bytes) -> tuple[int, object]:
        requests.append(f"{method} {target.partition('?')[0]}")
        return (409, {"message": "is not running"}) if "kill" in target else (204, b"")

    with answering_to_bodies(answer, PODMAN) as engine:
        engine.remove("c")
    assert requests == ["POST /containers/c/kill", "DELETE /containers/c"]


def test_a_podman_on_another_machine_gets_no_filter_of_this_one() -> None:
    with answering_to_bodies(lambda *_: (201, {"Id": "c"}), PODMAN) as local:
        engine = Engine(Identity(local.host))
        engine.is_local = False
        with pytest.raises(EnvironmentFailure, match="only as a file of its own") as refused:
            engine.create("c", BODY)
        assert not isinstance(refused.value, EngineFailure)
        assert "run sandboxd on that machine" in refused.value.hint


def test_a_rootless_podman_on_cgroups_of_version_1_enforces_no_limit() -> None:
    """It tells what its machine could; its own log says that limits are ignored then."""
    machine = {"MemoryLimit": True, "PidsLimit": True, "CpuCfsQuota": True, "Name": "host"}
    rootless = {**machine, "CgroupVersion": "1", "SecurityOptions": ["name=rootless"]}
    told = podman.info(rootless)
    assert (told["MemoryLimit"], told["PidsLimit"], told["CpuCfsQuota"]) == (False, False, False)
    for able in ({**rootless, "CgroupVersion": "2"}, {**rootless, "SecurityOptions": None}):
        assert podman.info(able)["MemoryLimit"] is True


def own_info(version: str, controllers: object) -> dict[str, Any]:
    """What Podman's own API says of itself."""
    return {"host": {"cgroupVersion": version, "cgroupControllers": controllers}}


@pytest.mark.parametrize(
    ("own", "able"),
    [
        (own_info("v2", ["hugetlb"]), (False, False, False)),
        (own_info("v2", ["memory", "pids"]), (True, True, False)),
        (own_info("v2", None), (True, True, True)),
        (own_info("v1", []), (True, True, True)),
        ({"host": None}, (True, True, True)),
        ([], (True, True, True)),
    ],
)
def test_a_limit_without_a_controller_is_not_enforced_and_not_asked_for(
    own: object, able: tuple[bool, ...], state: Path
) -> None:
    """Podman 6.1 names a limit of processes as possible, and with crun starts no container with one."""
    body: Any = copy.deepcopy(BODY)
    body["HostConfig"]["SecurityOpt"] = []
    created: list[dict[str, Any]] = []

    def answer(_method: str, target: str, sent: bytes) -> tuple[int, object]:
        if "/libpod/" in target:
            return 200, own
        if target == "/info":
            return 200, {"MemoryLimit": True, "PidsLimit": True, "CpuCfsQuota": True}
        created.append(json.loads(sent)["HostConfig"])
        return 201, {"Id": "c"}

    with answering_to_bodies(answer, PODMAN) as engine:
        told = engine.info()
        engine.create("c", body)
    memory, processes, processors = able
    assert (told["MemoryLimit"], told["PidsLimit"], told["CpuCfsQuota"]) == able
    (host,) = created
    assert host.get("Memory") == (512 << 20 if memory else None)
    assert host.get("PidsLimit") == (100 if processes else 0)
    assert host.get("NanoCpus") == (900_000_000 if processors else None)


def test_what_podman_notes_of_its_limit_is_no_difference() -> None:
    """Podman 5.8 notes the limit of processes that was asked for."""
    noted = {"dev.x": "1", "io.podman.annotations.pids-limit": "100"}
    assert drifts(described(changed(Annotations=noted))) == []
