"""What the script that looks from inside prints, run by the shells of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.observe import look_inside
from sandboxd.observe.process import Process
from tests.patience import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

MOUNTS = Path("/proc/self/mountinfo")
SHELLS = [["sh"], ["bash", "--posix"], ["busybox", "sh"]]


def output(shell: list[str], programs: Path | None = None) -> str:
    """What the script prints; with the `programs` of a folder alone, where one is given."""
    found = shutil.which(shell[0])
    if found is None:
        pytest.skip(f"no {shell[0]} here")
    environ = {"PATH": str(programs) if programs else os.environ["PATH"]}
    command = [found, *shell[1:], "-c", look_inside._SCRIPT]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def looked(text: str) -> Process:
    process = look_inside.parse(text)
    assert process is not None, text
    return process


def undisturbed(shell: list[str]) -> tuple[Process, str]:
    """What is seen while nobody mounts anything, as others on this machine do, and the kernel's list of mounts."""
    seen: list[tuple[Process, str]] = []

    def is_undisturbed() -> bool:
        before = MOUNTS.read_text()
        seen.append((looked(output(shell)), MOUNTS.read_text()))
        return seen[-1][1] == before

    eventually(is_undisturbed)
    return seen[-1]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_each_file_is_what_the_kernel_shows_a_child(shell: list[str]) -> None:
    process, mountinfo = undisturbed(shell)
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert process.boot_id == boot_id
    own = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    for name in ("CapBnd", "CapEff", "NoNewPrivs", "Seccomp", "Uid"):
        assert process.status[name] == own[name].strip()
    points = [line.split()[4] for line in mountinfo.splitlines()]
    assert [point for point, *_ in process.mounts if " " not in point] == [
        point for point in points if "\\" not in point
    ]
    assert process.user_map == tuple(Path("/proc/self/uid_map").read_text().split())
    # dash cannot tell.
    assert process.processes in ("", "unlimited") or process.processes.isdecimal()


def test_an_image_without_head_is_looked_at_by_cat(tmp_path: Path) -> None:
    cat = shutil.which("cat")
    assert cat is not None
    (tmp_path / "cat").symlink_to(cat)
    looks: list[tuple[Process, Process]] = []

    def is_same() -> bool:
        looks.append((looked(output(["sh"])), looked(output(["sh"], tmp_path))))
        by_head, by_cat = looks[-1]
        return by_cat._replace(status={}) == by_head._replace(status={})

    # Others on this machine mount and unmount between the two.
    eventually(is_same, lambda: looks[-1])
    by_head, by_cat = looks[-1]
    assert by_cat.status["Name"] != by_head.status["Name"]


def test_two_programs_are_enough(tmp_path: Path) -> None:
    """Each costs gVisor as much as all that is read."""
    started = tmp_path / "started"
    for name in ("head", "cat"):
        program = shutil.which(name)
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} >>{started}\nexec {program} "$@"\n')
        (tmp_path / name).chmod(0o755)
    looked(output(["sh"], tmp_path))
    assert started.read_text() == "head\n"


@pytest.mark.parametrize("kept", [0, 300, -3])
def test_what_is_not_whole_says_nothing(kept: int) -> None:
    text = (Path(__file__).parent / "runc-dev.inside.txt").read_text()
    cut = text[: text.index("-- processes --") + kept] if kept < 0 else text[:kept]
    assert look_inside.parse(cut) is None


def test_a_file_without_an_end_of_line_ends_at_the_next_header() -> None:
    text = (Path(__file__).parent / "runc-dev.inside.txt").read_text()
    label = "==> /proc/self/attr/current <==\n"
    before, _, after = text.partition("==> /proc/net/route <==")
    assert label not in before
    marked = f"{before.rstrip()}\n\n{label}system_u:system_r:x\0\n==> /proc/net/route <=={after}"
    assert looked(marked).label == "system_u:system_r:x"
    assert looked(marked)._replace(label="") == looked(text)
