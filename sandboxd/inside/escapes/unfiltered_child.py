"""Start a process that no seccomp filter watches: every call of the kernel is open to it."""

from __future__ import annotations

import os
from typing import Any

from sandboxd.inside.escapes._kernel import NotApplicable, read_text

TITLE = "start a process without a seccomp filter"
JUDGE = "surface"
EXPECTED = {"runc": "a filter that children inherit", "runsc": "gVisor's own kernel"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writable, read_text("/proc/self/status").encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as child:
        status = child.read()
    os.waitpid(pid, 0)
    for line in status.splitlines():
        if line.startswith("Seccomp:"):
            if line.split()[1] == "0":
                return {"detail": "a child runs without a filter"}
            raise OSError(f"a child has filter mode {line.split()[1]}")
    raise NotApplicable("this kernel does not show filters")
