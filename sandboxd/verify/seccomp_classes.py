"""The classes of system calls that are blocked; one attempt of `verify` stands for each.

"A filter is loaded" does not say what it blocks; a call that is tried does. Under gVisor the same calls only reach the
sandbox's own kernel, whatever the filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.observe.control import State
    from sandboxd.verify.verdict import Result, Verdict

CLASSES = {
    "namespaces": "user-namespace",
    "mounts": "mount-api",
    "tracing": "ptrace",
    "memory of others": "process-memory",
    "keys": "keyring",
    "kernel programs": "bpf",
    "performance counters": "perf-events",
    "page faults": "userfaultfd",
    "asynchronous i/o": "io-uring",
    "crypto sockets": "af-alg",
    "hypervisor sockets": "af-vsock",
    "other architectures": "foreign-calls",
    "file system watches": "fanotify",
    "execution domains": "personality",
    "another kernel": "kexec",
    "modules": "kernel-module",
    "the clock": "clock",
}


def classes(verdict: Verdict) -> tuple[Control, ...]:
    """A control for each class of system calls, by the outcome of its attempt."""
    results = {result.id: result for result in verdict.results}
    controls = []
    for name, attempt in CLASSES.items():
        if attempt in results:
            controls.append(_control(f"system calls: {name}", results[attempt]))
    return tuple(controls)


def _control(name: str, result: Result) -> Control:
    state: State = "not seen"
    if result.outcome == "held":
        state = "in force"
    elif result.outcome == "residual":
        state = "open"
    elif result.outcome == "escaped":
        state = "not in force"
    return Control(name, state, f"{result.id}: {result.evidence}")
