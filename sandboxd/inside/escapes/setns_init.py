"""Enter the namespaces of another process, as `nsenter -t 1` does.

With the host's pid namespace, process 1 or any daemon is the host's.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from sandboxd.inside.escapes._kernel import call, other_processes, read_text

TITLE = "enter another process's mount namespace (setns)"
JUDGE = "token"
EXPECTED = {"runc": "no host process, no SYS_ADMIN", "runsc": "no host process"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    own = os.readlink("/proc/self/ns/mnt")
    last = OSError("no other namespace is visible")
    for pid in sorted(other_processes())[:2000]:
        try:
            if os.readlink(f"/proc/{pid}/ns/mnt") == own:
                continue
            namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
            call("setns", namespace, 0)
            return {"token": read_text(facts["canary"]), "detail": f"entered from pid {pid}"}
        except OSError as error:
            # A process that ended meanwhile says nothing about the others.
            if error.errno not in (errno.ENOENT, errno.ESRCH):
                last = error
    raise last
