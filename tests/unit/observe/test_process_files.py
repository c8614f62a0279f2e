"""Files of the kernel by which a process is seen (proc(5))."""

from __future__ import annotations

from pathlib import Path

from sandboxd.observe.host_process import pid_of
from sandboxd.observe.process import FILES


def test_each_file_is_where_the_kernel_has_it() -> None:
    assert FILES == {
        "boot_id": "/proc/sys/kernel/random/boot_id",
        "status": "/proc/{pid}/status",
        "mounts": "/proc/{pid}/mountinfo",
        "label": "/proc/{pid}/attr/current",
        "routes": "/proc/{pid}/net/route",
        "user_map": "/proc/{pid}/uid_map",
        "limits": "/proc/{pid}/limits",
    }


def test_a_container_without_an_identity_has_no_process(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text("0::/system.slice/None-of-these\n")
    assert pid_of({"State": {"Pid": 7}, "Id": None}, str(tmp_path)) == 0
    assert pid_of({"State": {"Pid": 7}, "Id": "None-of-these"}, str(tmp_path)) == 7
