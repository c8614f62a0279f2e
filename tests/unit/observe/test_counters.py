from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sandboxd.model.engine_answers import Inspected
from sandboxd.observe.counters import Counters, read

ID = "a" * 64
INSPECTED = cast(Inspected, {"Id": ID, "State": {"Pid": 7}})


def machine(folder: Path, groups: str, files: dict[str, str]) -> tuple[str, str]:
    """A /proc and a folder of control groups."""
    (folder / "proc/7").mkdir(parents=True)
    (folder / "proc/7/cgroup").write_text(groups)
    for name, text in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(folder / "proc"), str(folder / "groups")


def test_version_2(tmp_path: Path) -> None:
    files = {
        f"docker/{ID}/memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n",
        f"docker/{ID}/pids.events": "max 5\n",
    }
    place = machine(tmp_path, f"0::/docker/{ID}\n", files)
    assert read(INSPECTED, *place) == Counters(memory_kills=2, process_refusals=5)


def test_version_1(tmp_path: Path) -> None:
    files = {
        f"memory/docker/{ID}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
        f"pids/docker/{ID}/pids.events": "max 0\n",
    }
    groups = f"5:pids:/docker/{ID}\n4:cpu,cpuacct:/docker/{ID}\n3:memory:/docker/{ID}\n0::/\n"
    assert read(INSPECTED, *machine(tmp_path, groups, files)) == Counters(4, 0)


@pytest.mark.parametrize(
    ("inspected", "groups"),
    [
        (INSPECTED, f"0::/docker/{ID}\n"),
        (INSPECTED, "0::/docker/another\n"),
        ({"Id": ID, "State": {"Pid": 0}}, f"0::/docker/{ID}\n"),
        ({}, ""),
    ],
)
def test_what_cannot_be_read_is_not_counted(tmp_path: Path, inspected: Any, groups: str) -> None:
    assert read(inspected, *machine(tmp_path, groups, {})) is None


def test_since() -> None:
    assert Counters(5, 1).since(Counters(3, 1)) == Counters(2, 0)
