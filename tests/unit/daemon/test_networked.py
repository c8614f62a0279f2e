"""File systems of a network, by the table of mounts (proc_pid_mountinfo(5))."""

from __future__ import annotations

import pytest

from sandboxd.daemon.networked import _points


@pytest.mark.parametrize(
    ("line", "points"),
    [
        ("36 35 98:0 / /mnt rw,noatime shared:1 - nfs4 server:/x rw", [("/mnt", True)]),
        ("36 35 98:0 / /my\\040disk - ext4 /dev/sda rw", [("/my disk", False)]),
        ("36 35 98:0 / /mnt - fuse.sshfs host:/x rw", [("/mnt", True)]),
        ("36 35 98:0 / - nfs4 server:/x rw", []),
        ("36 35 98:0 / /mnt rw", []),
    ],
)
def test_a_line_is_read_as_far_as_it_goes(line: str, points: list[tuple[str, bool]]) -> None:
    assert list(_points(line)) == points
