"""Read a host file through `/proc/PID/root` of any process that is visible.

With the host's pid namespace and SYS_PTRACE, `/proc/1/root` is the host's file system.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import other_processes, read_text

TITLE = "read a host file through /proc/PID/root"
JUDGE = "token"
EXPECTED = {"runc": "only own processes are visible", "runsc": "only own processes are visible"}


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    for pid in sorted(other_processes())[:2000]:
        for way in ("root", "cwd"):
            text = read_text("/proc/{}/{}{}".format(pid, way, facts["canary"]))
            if text:
                return {"token": text, "detail": f"/proc/{pid}/{way}"}
    raise FileNotFoundError("no process shows it")
