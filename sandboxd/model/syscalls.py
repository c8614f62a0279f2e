"""Names of Linux system calls, from a table with a date: a newer call is unknown, not wrong."""

from __future__ import annotations

from sandboxd.model._syscall_names import DATE, KERNEL, NAMES, NEWEST

__all__ = ["CLONE3", "DATE", "KERNEL", "NEWEST", "syscall_names"]

CLONE3 = NEWEST["clone3"]


def syscall_names() -> frozenset[str]:
    """The names that libseccomp knows; runc ignores rules for all others."""
    return frozenset(NAMES.split())
