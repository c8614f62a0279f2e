"""Which controls are in force, on what was recorded inside live sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.observe import controls, inspection, look_inside
from sandboxd.observe.outside import Outside
from tests.unit.observe.test_inspection import recorded

HERE = Path(__file__).parent
RUNC = Outside("runc", "runc", (), {}, 8 << 30, 4096, 1.8)
RUNSC = Outside("gv", "/usr/bin/runsc", ("--directfs=false", "--network=host"), {}, 4 << 30, 0, 1.5)


def states(name: str, *, same_kernel: bool, edit: tuple[str, str] = ("", "")) -> dict[str, str]:
    text = (HERE / f"{name}.inside.txt").read_text()
    assert edit[0] in text
    inside = look_inside.parse(text.replace(*edit))
    assert inside is not None
    boot_id = inside.boot_id if same_kernel else "another"
    live = inspection.container(recorded(name))
    seen = controls.controls(live, inside, boot_id, RUNC if same_kernel else RUNSC)
    return {c.name: c.state for c in seen}


def test_hardened_runc() -> None:
    found = states("runc-dev", same_kernel=True)
    weak = {name for name, state in found.items() if state == "not in force"}
    # This host's kernel has no AppArmor, and `dev` has the engine's network.
    assert weak == {"own kernel", "AppArmor", "user namespace", "no network"}
    assert set(found.values()) == {"in force", "not in force"}
    assert "read-only /workspaces/ws/.git/hooks" in found


def test_gvisor_without_directfs() -> None:
    found = states("runsc-agent", same_kernel=False)
    assert found["own kernel"] == "in force"
    assert found["capabilities"] == "in force"
    assert found["no-new-privileges"] == "cannot be seen"
    # exec loads no filter there, whatever the container was started with.
    assert found["seccomp"] == "not in force"
    assert found["read-only /workspaces/ws/.devcontainer"] == "in force"
    assert found["no network"] == "in force"
    assert found["AppArmor"] == found["user namespace"] == "cannot be seen"
    assert found["no directfs"] == found["no host sockets"] == "in force"


def test_a_read_only_mount_under_directfs_proves_nothing() -> None:
    found = states("runsc-stock", same_kernel=False)
    assert found["read-only /workspaces/ws/.devcontainer"] == "cannot be seen"
    assert found["no directfs"] == "not in force"


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        (("NoNewPrivs:\t1", "NoNewPrivs:\t0"), "no-new-privileges"),
        (("Seccomp:\t2", "Seccomp:\t0"), "seccomp"),
        (("CapBnd:\t00000000000000cb", "CapBnd:\t00000000002000cb"), "capabilities"),
        (("Uid:\t1000\t1000", "Uid:\t1000\t0"), "non-root user"),
        (
            ("/workspaces/ws/.vscode ro,", "/workspaces/ws/.vscode rw,"),
            "read-only /workspaces/ws/.vscode",
        ),
        (("/proc/sys ro,", "/proc/sys rw,"), "masked paths"),
    ],
)
def test_each_control_is_seen_to_be_missing(edit: tuple[str, str], name: str) -> None:
    assert states("runc-dev", same_kernel=True, edit=edit)[name] == "not in force"


def test_nothing_to_look_with() -> None:
    live = inspection.container(recorded("runc-dev"))
    found = controls.controls(live, None, "x")
    assert {c.state for c in found} == {"cannot be seen"}
    assert len(found) == 5
    assert look_inside.parse("cat: not found") is None


def outside(name: str, same_kernel: bool, host: Outside) -> dict[str, tuple[str, str]]:
    inside = look_inside.parse((HERE / f"{name}.inside.txt").read_text())
    assert inside is not None
    live = inspection.container(recorded(name))
    boot_id = inside.boot_id if same_kernel else "another"
    return {c.name: (c.state, c.why) for c in controls.controls(live, inside, boot_id, host)}


@pytest.mark.parametrize(
    ("host", "name", "words"),
    [
        (RUNSC._replace(path="/bin/crun", arguments=()), "runtime", "has a kernel of its own"),
        (RUNSC._replace(arguments=("--host-uds=all",)), "no host sockets", "--host-uds=all"),
        (
            RUNSC._replace(annotations={"dev.gvisor.flag.host-uds": "open"}),
            "no host sockets",
            "annotation host-uds=open",
        ),
        (RUNSC._replace(memory=0), "memory limit", "sets none"),
    ],
)
def test_what_only_the_host_sees_under_gvisor(host: Outside, name: str, words: str) -> None:
    state, why = outside("runsc-agent", False, host)[name]
    assert state == "not in force"
    assert words in why


def test_a_runtime_s_name_proves_nothing() -> None:
    found = outside("runc-dev", True, RUNC._replace(runtime="gvisor", path="/usr/bin/runsc"))
    assert found["runtime"] == (
        "not in force",
        "`gvisor` stands for `/usr/bin/runsc`, yet it runs on the host's kernel",
    )
    assert outside("runc-dev", True, RUNC._replace(path=""))["runtime"][0] == "cannot be seen"


def test_limits() -> None:
    none = RUNC._replace(memory=0, processes=0, cpus=0)
    found = outside("runc-dev", True, none)
    assert found["cpu limit"][0] == "not in force"
    shown = outside("runc-dev", True, RUNC._replace(cpus=1.5))["cpu limit"]
    assert shown == ("in force", "1.5 processors, by the host's control group")
    assert found["memory limit"][0] == found["process limit"][0] == "not in force"
    # gVisor counts by the user's limit, which the plan sets there instead.
    assert outside("runsc-agent", False, RUNSC)["process limit"] == (
        "in force",
        "1024 for the user",
    )


@pytest.mark.parametrize(
    ("asked", "label", "state", "words"),
    [
        ("sandboxd-dev", "", "not in force", "silently not applied"),
        ("", "", "not in force", "no label"),
        ("", "unconfined", "not in force", "unconfined"),
        ("sandboxd-dev", "docker-default (enforce)", "not in force", "`docker-default` is applied"),
        ("sandboxd-dev", "sandboxd-dev (complain)", "not in force", "complain"),
        ("sandboxd-dev", "sandboxd-dev (enforce)", "in force", "sandboxd-dev"),
    ],
)
def test_app_armor_by_the_label_that_the_kernel_gives(
    asked: str, label: str, state: str, words: str
) -> None:
    inside = look_inside.parse((HERE / "runc-dev.inside.txt").read_text())
    assert inside is not None
    inspected = recorded("runc-dev")
    if asked:
        inspected["HostConfig"]["SecurityOpt"].append(f"apparmor={asked}")
    live = inspection.container(inspected)
    seen = controls.controls(live, inside._replace(label=label), inside.boot_id)
    (found,) = [control for control in seen if control.name == "AppArmor"]
    assert found.state == state
    assert words in found.why


def test_a_shipped_profile_is_known_by_its_hash() -> None:
    for file in ("dev-runc.json", "agent-runsc.json"):
        identity = inspection.seccomp_identity(
            Path(data_path("profiles", "seccomp", file)).read_text()
        )
        assert controls._profile_name(identity).startswith(f"{file}, profile sha256:")
    assert controls._profile_name("profile sha256:0") == "profile sha256:0"


def test_a_hidden_boot_id_of_the_host_is_no_kernel_of_its_own() -> None:
    text = (HERE / "runc-dev.inside.txt").read_text()
    inside = look_inside.parse(text)
    assert inside is not None and inside.boot_id
    live = inspection.container(recorded("runc-dev"))
    shown = {c.name: c.state for c in controls.controls(live, inside, "", RUNC)}
    assert shown["own kernel"] == "cannot be seen"
    shared = states("runc-dev", same_kernel=True)
    assert {**shared, "own kernel": "cannot be seen"} == shown
