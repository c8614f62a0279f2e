"""Which controls are in force, on what was recorded inside live sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.sandbox import controls, observe
from tests.unit.sandbox.test_observe import recorded

HERE = Path(__file__).parent


def states(name: str, *, same_kernel: bool, edit: tuple[str, str] = ("", "")) -> dict[str, str]:
    text = (HERE / f"{name}.inside.txt").read_text()
    assert edit[0] in text
    inside = controls.parse(text.replace(*edit))
    assert inside is not None
    boot_id = inside.boot_id if same_kernel else "another"
    live = observe.container(recorded(name))
    return {c.name: c.state for c in controls.controls(live, inside, boot_id)}


def test_hardened_runc() -> None:
    found = states("runc-dev", same_kernel=True)
    assert found.pop("own kernel") == "not in force"
    assert set(found.values()) == {"in force"}
    assert "read-only /workspaces/ws/.git/hooks" in found


def test_gvisor_without_directfs() -> None:
    found = states("runsc-agent", same_kernel=False)
    assert found["own kernel"] == "in force"
    assert found["capabilities"] == "in force"
    assert found["no-new-privileges"] == "cannot be seen"
    # exec loads no filter there, whatever the container was started with.
    assert found["seccomp"] == "not in force"
    assert found["read-only /workspaces/ws/.devcontainer"] == "in force"


def test_a_read_only_mount_under_directfs_proves_nothing() -> None:
    found = states("runsc-stock", same_kernel=False)
    assert found["read-only /workspaces/ws/.devcontainer"] == "cannot be seen"


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
    ],
)
def test_each_control_is_seen_to_be_missing(edit: tuple[str, str], name: str) -> None:
    assert states("runc-dev", same_kernel=True, edit=edit)[name] == "not in force"


def test_nothing_to_look_with() -> None:
    live = observe.container(recorded("runc-dev"))
    found = controls.controls(live, None, "x")
    assert {c.state for c in found} == {"cannot be seen"}
    assert len(found) == 5
    assert controls.parse("cat: not found") is None
