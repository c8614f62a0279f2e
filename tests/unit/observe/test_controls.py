"""Which controls are in force, on what was recorded of live sandboxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.data import data_path
from sandboxd.host.facts import PINS
from sandboxd.observe import inspection, look_inside
from sandboxd.observe.control import STATES
from sandboxd.observe.controls import controls, directfs, seccomp
from sandboxd.observe.outside import Outside
from sandboxd.observe.process import Process
from sandboxd.verify import attempts
from tests.unit.observe.test_inspection import recorded

HERE = Path(__file__).parent
FLAGS = ("--directfs=false", "--network=host")
RUNC = Outside("runc", "runc", (), {}, 8 << 30, 4096, 1.8)
RUNSC = Outside("gv", "/usr/bin/runsc", FLAGS, {}, 4 << 30, 0, 1.5, True, FLAGS)
HOST_BOOT_ID = "11111111-0000-4000-8000-000000000000"


def process(name: str, edit: tuple[str, str] = ("", "")) -> Process:
    text = (HERE / f"{name}.inside.txt").read_text()
    assert edit[0] in text
    result = look_inside.parse(text.replace(*edit))
    assert result is not None
    return result


def found_in(
    inspected: dict[str, Any],
    first: Process | None,
    outside: Outside,
    inside: Process | None = None,
) -> dict[str, tuple[str, str]]:
    live = inspection.container(inspected)
    by_name = controls(live, first, outside, inside, HOST_BOOT_ID)
    assert {control.state for control in by_name} <= set(STATES)
    assert len({control.name for control in by_name}) == len(by_name)
    return {control.name: (control.state, control.why) for control in by_name}


def states(
    name: str, outside: Outside, first: Process | None = None, inside: Process | None = None
) -> dict[str, str]:
    return {n: s for n, (s, _) in found_in(recorded(name), first, outside, inside).items()}


def test_hardened_runc_as_the_host_sees_it() -> None:
    by_name = states("runc-dev", RUNC, process("runc-dev"))
    # This host's kernel has no AppArmor and nothing maps users; `dev` has the engine's network.
    left_out = {"own kernel", "AppArmor", "user namespace"}
    assert {name for name, state in by_name.items() if state == "left out"} == left_out
    assert {name for name, state in by_name.items() if state == "open"} == {"network"}
    assert set(by_name.values()) == {"in force", "left out", "open"}
    assert "read-only /workspaces/ws/.git/hooks" in by_name


def test_gvisor_by_its_flags_and_what_was_asked_for() -> None:
    by_name = states("runsc-agent", RUNSC)
    in_force = ("own kernel", "capabilities", "no-new-privileges", "network", "no directfs")
    assert {by_name[name] for name in (*in_force, "no host sockets")} == {"in force"}
    assert by_name["read-only /workspaces/ws/.devcontainer"] == "in force"
    # exec loads no filter there, whatever the container was started with.
    assert by_name["seccomp"] == "left out"
    assert "not seen" not in by_name.values()


def test_a_read_only_mount_under_directfs_proves_nothing() -> None:
    by_name = states("runsc-stock", RUNSC._replace(sentry=("--network=host",)))
    assert by_name["read-only /workspaces/ws/.devcontainer"] == "not seen"
    assert by_name["no directfs"] == "not in force"


HOLDS = RUNSC._replace(
    sentry=("--network=host",),
    arguments=("--network=host",),
    annotations={"dev.gvisor.flag.oci-seccomp": "true"},
    held=frozenset({*PINS, "exec_filter"}),
)


def test_what_a_build_was_seen_to_hold_counts_with_directfs_on() -> None:
    by_name = states("runsc-agent", HOLDS)
    assert by_name["read-only /workspaces/ws/.devcontainer"] == "in force"
    assert by_name["no directfs"] == "left out"
    assert by_name["seccomp"] == "in force"
    without = states("runsc-agent", HOLDS._replace(annotations={}))
    assert without["seccomp"] == "left out"


def test_a_sandbox_that_runs_with_other_flags_than_were_tried_proves_nothing() -> None:
    by_name = states("runsc-agent", HOLDS._replace(arguments=("--network=host", "--other")))
    assert by_name["read-only /workspaces/ws/.devcontainer"] == "not seen"
    assert by_name["seccomp"] == "left out"


def test_a_process_without_a_filter_contradicts_a_build_that_filters_exec() -> None:
    inside = process("runsc-agent")
    assert inside.status["Seccomp"] == "0", "as the build of 2024 shows it"
    assert states("runsc-agent", HOLDS, inside=inside)["seccomp"] == "not in force"
    assert states("runsc-agent", RUNSC, inside=inside)["seccomp"] == "left out"


EDITS = [
    (("NoNewPrivs:\t1", "NoNewPrivs:\t0"), "no-new-privileges"),
    (("Seccomp:\t2", "Seccomp:\t0"), "seccomp"),
    (("Seccomp:\t2", "Seccomp:\t1"), "seccomp"),
    (("CapBnd:\t00000000000000cb", "CapBnd:\t00000000002000cb"), "capabilities"),
    (("Uid:\t1000\t1000", "Uid:\t1000\t0"), "non-root user"),
    (
        ("/workspaces/ws/.vscode ro,", "/workspaces/ws/.vscode rw,"),
        "read-only /workspaces/ws/.vscode",
    ),
]


@pytest.mark.parametrize(
    ("edit", "name"), [*EDITS, (("/proc/sys ro,", "/proc/sys rw,"), "masked paths")]
)
def test_each_control_is_seen_to_be_missing(edit: tuple[str, str], name: str) -> None:
    assert states("runc-dev", RUNC, process("runc-dev", edit))[name] == "not in force"


@pytest.mark.parametrize(("edit", "name"), EDITS)
def test_the_inside_takes_a_claim_back(edit: tuple[str, str], name: str) -> None:
    first = process("runc-dev")
    assert states("runc-dev", RUNC, first)[name] == "in force"
    assert states("runc-dev", RUNC, first, process("runc-dev", edit))[name] == "not in force"


def test_the_inside_makes_no_claim() -> None:
    """Whatever the image shows: where nothing else sees it, a control is not seen."""
    expected = process("runc-dev")
    blind = states("runc-dev", RUNC, None)
    assert states("runc-dev", RUNC, None, expected) == blind
    assert {blind[n] for n in ("capabilities", "seccomp", "no-new-privileges")} == {"not seen"}
    weak = {edit[1] for edit in EDITS}
    for edit, _ in EDITS:
        first = process("runc-dev", edit)
        assert states("runc-dev", RUNC, first, expected) == states("runc-dev", RUNC, first)
    assert weak <= set(blind)


def without(inspected: dict[str, Any], **changes: Any) -> dict[str, Any]:
    inspected["HostConfig"].update(changes)
    return inspected


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"SecurityOpt": ["seccomp=unconfined"]}, "seccomp"),
        ({"SecurityOpt": []}, "no-new-privileges"),
        ({"CapDrop": []}, "capabilities"),
    ],
)
def test_what_the_first_process_takes_from_itself_is_no_control(
    changes: dict[str, Any], name: str
) -> None:
    """It may load a filter, or drop rights: what `exec` starts beside it has none of that."""
    inspected = without(recorded("runc-dev"), **changes)
    assert found_in(inspected, process("runc-dev"), RUNC)[name][0] == "left out"


def test_a_first_process_that_became_another_user_is_no_control() -> None:
    inspected = recorded("runc-dev")
    inspected["Config"]["User"] = ""
    by_name = found_in(inspected, process("runc-dev"), RUNC)["non-root user"]
    assert by_name == ("left out", "commands run as root")


@pytest.mark.parametrize(
    ("host", "name", "words"),
    [
        (RUNSC._replace(sentry=()), "own kernel", "the first process on the host is no gVisor"),
        (RUNSC._replace(sentry=("--host-uds=all",)), "no host sockets", "--host-uds=all"),
        (
            RUNSC._replace(annotations={"dev.gvisor.flag.host-uds": "open"}),
            "no host sockets",
            "annotation host-uds=open",
        ),
        (RUNSC._replace(memory=0), "memory limit", "has none"),
    ],
)
def test_a_control_that_the_host_sees_missing_under_gvisor_is_not_in_force(
    host: Outside, name: str, words: str
) -> None:
    state, why = found_in(recorded("runsc-agent"), None, host)[name]
    assert state == "not in force"
    assert words in why


def test_a_kernel_of_its_own_is_not_seen_where_the_host_is_closed() -> None:
    hidden = RUNSC._replace(sentry=(), sees_group=False)
    assert states("runsc-agent", hidden)["own kernel"] == "not seen"
    assert states("runc-dev", RUNC._replace(path="/opt/kata"))["own kernel"] == "not seen"
    assert states("runc-dev", RUNC._replace(path=""))["runtime"] == "not seen"


def test_the_host_s_boot_id_inside_is_no_kernel_of_its_own() -> None:
    inside = process("runsc-agent")._replace(boot_id=HOST_BOOT_ID)
    assert states("runsc-agent", RUNSC, None, inside)["own kernel"] == "not in force"


def test_limits() -> None:
    inspected = without(recorded("runc-dev"), Memory=0, NanoCpus=0, PidsLimit=None, Ulimits=[])
    none = RUNC._replace(memory=0, processes=0, cpus=0)
    by_name = found_in(inspected, process("runc-dev"), none)
    names = ("memory limit", "cpu limit", "process limit")
    assert {by_name[name][0] for name in names} == {"left out"}
    asked = found_in(recorded("runc-dev"), process("runc-dev"), none)
    assert asked["memory limit"][0] == "not in force"
    shown = found_in(recorded("runc-dev"), process("runc-dev"), RUNC._replace(cpus=1.5))
    assert shown["cpu limit"] == ("in force", "1.5 processors, by the host's control group")
    one = found_in(recorded("runc-dev"), process("runc-dev"), RUNC._replace(cpus=1))
    assert one["cpu limit"][1].startswith("1 processor, ")
    # gVisor counts by the user's limit, which the plan sets there instead.
    assert found_in(recorded("runsc-agent"), None, RUNSC)["process limit"] == (
        "in force",
        "1024 for the user",
    )


@pytest.mark.parametrize(
    ("asked", "label", "state", "words"),
    [
        ("sandboxd-dev", "", "not in force", "silently not applied"),
        ("", "", "left out", "no label"),
        ("", "unconfined", "left out", "unconfined"),
        ("sandboxd-dev", "unconfined", "not in force", "unconfined"),
        ("sandboxd-dev", "docker-default (enforce)", "not in force", "`docker-default` is applied"),
        ("sandboxd-dev", "sandboxd-dev (complain)", "not in force", "complain"),
        ("sandboxd-dev", "sandboxd-dev (enforce)", "in force", "sandboxd-dev"),
    ],
)
def test_app_armor_by_the_label_that_the_kernel_gives(
    asked: str, label: str, state: str, words: str
) -> None:
    inspected = recorded("runc-dev")
    if asked:
        inspected["HostConfig"]["SecurityOpt"].append(f"apparmor={asked}")
    first = process("runc-dev")._replace(label=label)
    by_name = found_in(inspected, first, RUNC)["AppArmor"]
    assert by_name[0] == state
    assert words in by_name[1]


def test_a_shipped_profile_is_known_by_its_hash() -> None:
    for file in ("dev-runc.json", "agent-runsc.json"):
        identity = inspection.seccomp_identity(
            Path(data_path("profiles", "seccomp", file)).read_text()
        )
        assert seccomp.profile_name(identity).startswith(f"{file}, profile sha256:")
    assert seccomp.profile_name("profile sha256:0") == "profile sha256:0"


def with_gpus(name: str, requests: list[dict[str, Any]]) -> dict[str, Any]:
    inspected = recorded(name)
    return inspected | {"HostConfig": inspected["HostConfig"] | {"DeviceRequests": requests}}


ALL_GPUS = [{"Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]]}]


def test_devices_of_the_graphics_driver_are_what_is_mounted_inside() -> None:
    plain = process("runc-dev")
    mounted = plain._replace(
        mounts=(*plain.mounts, ("/dev/nvidia0", ("ro",), ()), ("/dev/nvidiactl", ("ro",), ()))
    )
    assert "GPU" not in found_in(recorded("runc-dev"), plain, RUNC)
    asked = with_gpus("runc-dev", ALL_GPUS)
    assert found_in(asked, mounted, RUNC)["GPU"] == (
        "open",
        "`all` was asked for; inside is `nvidia0`, `nvidiactl`",
    )
    assert found_in(asked, plain, RUNC)["GPU"][0] == "not seen"
    assert found_in(asked, None, RUNC)["GPU"][0] == "not seen"
    state, why = found_in(recorded("runc-dev"), mounted, RUNC)["GPU"]
    assert (state, why) == (
        "not in force",
        "none was asked for, and inside is `nvidia0`, `nvidiactl`",
    )


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (("--nvproxy",), "open"),
        (("--nvproxy=true",), "open"),
        (FLAGS, "not in force"),
        ((), "not seen"),
    ],
)
def test_gvisor_passes_calls_to_the_driver_on_only_by_its_flag(
    flags: tuple[str, ...], state: str
) -> None:
    single = [{"Count": 0, "DeviceIDs": ["1"], "Capabilities": [["gpu"]]}]
    sight = RUNSC._replace(sentry=flags)
    assert found_in(with_gpus("runsc-agent", single), None, sight)["GPU"][0] == state
    assert "GPU" not in found_in(recorded("runsc-agent"), None, sight)


def test_every_attack_that_truncates_a_pin_proves_that_directfs_is_off() -> None:
    truncating = {a.id for a in attempts.load() if a.id.startswith("pin-truncate")}
    assert set(directfs.PROOF) == truncating
