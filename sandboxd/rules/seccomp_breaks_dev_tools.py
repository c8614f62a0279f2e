"""The profile stops programs that development needs.

## What it is

A list that allows by name lacks a system call without which a common program fails. Each one here
was found by running the programs and taking one name off at a time; calls that programs can do
without (`statx`, `rseq`, `close_range` ...) are not counted.

## Why it is bad

Nobody keeps a sandbox in which node does not start. The usual next step is
`seccomp=unconfined`, after which there is no filter at all:

    node: ../deps/uv/src/unix/async.c: uv__async_start: Assertion failed    # no eventfd2

## What to do instead

Add the calls. None of them reaches anything outside of the container. Or start from docker's own
list, as the profiles that `sandboxd init` writes do, and take from it.

## Under gVisor

It ignores the profile unless `oci-seccomp` is on, and then an allowlist breaks more than this: see
`seccomp-clone3-eperm`.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Finding, Remedy, RuleMeta, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-breaks-dev-tools",
    summary="the profile stops programs that development needs",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a sandbox in which the tools fail is switched off as a whole",
)

# One of the calls in each row is enough.
_NEEDED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("eventfd2",), "node aborts at start"),
    (("epoll_wait", "epoll_pwait"), "node and python's asyncio hang or fail"),
    (("inotify_init1",), "node's `fs.watch` and dev servers see no change"),
    (("inotify_add_watch",), "node's `fs.watch` and dev servers see no change"),
    (("copy_file_range",), "node's `fs.cpSync` fails"),
    (("clock_nanosleep",), "python's `time.sleep` and `tar` fail"),
    (("creat",), "`tar` writes no archive"),
    (("listxattr",), "python's `shutil.copy2` and `venv` fail"),
    (("fallocate",), "python's `os.posix_fallocate` and databases fail"),
    (("getrandom",), "python does not start"),
    (("futex",), "no thread gets on"),
    (("memfd_create",), "JIT compilers and browsers fail"),
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.is_denylist() or not subject.rules:
        return
    for calls, effect in _NEEDED:
        if any(subject.decide(call).is_open for call in calls):
            continue
        call = calls[0]
        yield Finding(
            META.id,
            META.severity,
            f"no `{call}`: {effect}",
            subject.place,
            call,
            remedies=(Remedy(f"allow `{call}`", True, (Add("names", f'"{call}"'),)),),
            why=META.why,
        )
