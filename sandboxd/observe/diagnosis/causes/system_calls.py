"""System calls that the seccomp profile refuses, and namespaces that a program makes for a sandbox of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

# EPERM and ENOSYS, with which seccomp profiles refuse a call; EACCES is an answer of file permissions.
_REFUSED = re.compile(r"Operation not permitted|Function not implemented")
# As perror(3) and strace write a call: before a colon or its arguments. The end of a path is none.
_CALL = re.compile(r"(?<![\w/.-])([a-z][a-z0-9_]{2,40})(?=\(|: )")

# util-linux; bubblewrap (bubblewrap.c); Chromium (sandbox/linux, content/browser/zygote_host).
_NAMESPACES = re.compile(
    r"unshare: unshare failed: Operation not permitted|bwrap: No permissions to create(?: a)? new namespace"
    r"|bwrap: Creating new namespace failed|bwrap: Failed to make / slave: Operation not permitted"
    r"|Failed to move to new namespace|No usable sandbox!"
)
# strace; gdb. Where the kernel lets a process trace its children alone, only `attach` is refused.
_TRACING = re.compile(
    r"ptrace\(PTRACE_(?:TRACEME|SEIZE|ATTACH)[^)]*\): Operation not permitted|ptrace: Operation not permitted"
)
_ATTACHING = re.compile(
    r"attach: ptrace|Could not attach to process|ptrace\(PTRACE_(?:SEIZE|ATTACH)"
)

_NESTED = (
    '`nested_sandbox = "calls"` in sandboxd.toml, with a private copy, then `sandboxd trust add`'
)
_NESTED_COST = "programs inside reach parts of the kernel that only namespaces open"


def find(failure: Failure, sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where a program names a call that is refused, or says that it cannot make or trace something."""
    decided_by = sandbox.decided_by("security_opt", "seccomp")
    if find_line(failure, _NAMESPACES) is not None:
        is_refused = bool({"unshare", "clone", "mount"} & sandbox.refused_calls)
        yield Answer(
            "system calls",
            "a program makes namespaces, as for a sandbox of its own",
            decided_by,
            _NESTED,
            _NESTED_COST,
            is_refused,
        )
    elif find_line(failure, _TRACING) is not None:
        yield from _tracing(failure, sandbox, decided_by)
    elif call := _named_call(failure, sandbox):
        because = f"the system call `{call}` is refused"
        yield Answer("system calls", because, decided_by, "", "", is_certain=True)


def _tracing(failure: Failure, sandbox: Sandbox, decided_by: str) -> Iterator[Answer]:
    if "ptrace" in sandbox.refused_calls:
        because = "the system call `ptrace`, by which debuggers work, is refused"
        change = "the profile `dev` lets a program trace those that it starts"
        yield Answer("system calls", because, decided_by, change, "", is_certain=True)
    elif find_line(failure, _ATTACHING) is not None:
        because = "a debugger may only trace what it starts, and not attach to another process"
        change = "start the program by the debugger"
        yield Answer("tracing", because, "", change)


def _named_call(failure: Failure, sandbox: Sandbox) -> str:
    """A call that is refused and that a line about a refusal names; '' for none."""
    for line in failure.lines():
        if _REFUSED.search(line):
            for word in _CALL.findall(line):
                if word in sandbox.refused_calls:
                    return str(word)
    return ""
