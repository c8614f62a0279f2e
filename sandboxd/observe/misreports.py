"""What a gVisor sandbox reports wrongly about itself, and which source is right.

Each row was measured, and a test measures it again.
"""

from __future__ import annotations

from typing import NamedTuple


class Misreport(NamedTuple):
    """One wrong report."""

    subject: str
    probe: str
    """A shell command to run inside that shows the wrong report."""
    shows: str
    """A regular expression that its output matches although `truth` is the case."""
    truth: str
    instead: str
    """The source that sandboxd uses instead."""
    until: str = ""
    """The premise with which a build reports it rightly, by its name in `sandboxd.inside.escapes.premises`; '' if none
    tells."""


GVISOR = (
    Misreport(
        "no-new-privileges",
        "grep -c NoNewPrivs /proc/self/status",
        r"^0$",
        "it is set; the line is not there at all",
        "the attempt `setuid-program`",
        "self_report",
    ),
    Misreport(
        "seccomp of an `exec`",
        "grep Seccomp: /proc/self/status",
        r"Seccomp:\s+0",
        "the container was started with a filter (oci-seccomp); only init and its children have it",
        "said as `left out`",
        "exec_filter",
    ),
    Misreport(
        "seccomp of init",
        "grep Seccomp: /proc/1/status",
        r"Seccomp:\s+2",
        "a filter is on init; on what `exec`, and so an editor, starts only where the premise `exec_filter` holds",
        "the status of the process that `exec` starts",
    ),
    Misreport(
        "kernel version",
        "cat /proc/version",
        r"^Linux version (4\.4\.0 |\S+-gvisor )",
        "no Linux runs inside; the text is gVisor's",
        "`boot_id`, which differs from the host's",
    ),
    Misreport(
        "pids limit",
        "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || echo hidden",
        r"^(max|hidden)$",
        "the host's control group, or the user's process limit, bounds it",
        "the host's control group and `ulimit -u`",
    ),
    Misreport(
        "memory",
        "grep MemTotal /proc/meminfo",
        r"MemTotal:\s+4194304 kB",
        "that is the sandbox's limit, not the machine's memory",
        "the host's control group",
    ),
    Misreport(
        "AppArmor",
        "cat /proc/self/attr/current 2>&1",
        r"No such file",
        "the file is never there, whatever the host has loaded",
        "said as `left out`",
    ),
    Misreport(
        "user namespace",
        "cat /proc/self/uid_map",
        r"^\s*0\s+0\s+4294967295$",
        "that is gVisor's own mapping; on the host it runs as the engine starts it",
        "said as `left out`",
    ),
    Misreport(
        "/dev/fuse",
        "test -c /dev/fuse && echo there",
        r"^there$",
        "no device of the host is there: it is gVisor's own",
        "the attempt `host-devices`, judged by the kernel that it ran on",
    ),
)

# Under stock `runsc`, which has directfs on, one thing more.
DIRECTFS = Misreport(
    "read-only folder",
    "grep ' /pinned ' /proc/self/mountinfo",
    r" ro[ ,].*directfs",
    "it can be emptied by opening a file with O_TRUNC",
    "the attempts `pin-truncate` and `pin-truncate-reading`, and the word `directfs` in the line",
    "folder_truncate",
)
