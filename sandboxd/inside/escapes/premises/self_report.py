"""The sandbox's own /proc shows what the engine was asked for.

Attack: none; status and version are read. Where they are true, a look from inside is evidence; where not,
`observe.misreports` names what to go by instead.

Seen: runsc 20240729 has no line NoNewPrivs, and calls itself Linux 4.4.0; release-20260817 calls itself
4.19.0-gvisor, what else it shows was not recorded.
"""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import read_text

TITLE = "/proc inside tells the truth of the sandbox"
PLAN = (
    "a look from inside is evidence",
    "a look from inside can take a claim back, and proves none",
)


def attempt(_facts: dict[str, Any]) -> dict[str, Any]:
    status = dict(
        line.split(":", 1) for line in read_text("/proc/self/status").splitlines() if ":" in line
    )
    memory = [
        int(line.split()[1])
        for line in read_text("/proc/meminfo").splitlines()
        if line.startswith("MemTotal:")
    ]
    return {
        "detail": "",
        "no_new_privileges": status.get("NoNewPrivs", "").strip(),
        "memory": memory[0] * 1024 if memory else 0,
        "version": read_text("/proc/version").split(" #")[0],
    }


def judge(inside: dict[str, Any], outside: dict[str, Any]) -> tuple[bool, str]:
    if inside["state"] != "done":
        return False, str(inside.get("detail", ""))
    faults = []
    if inside["no_new_privileges"] != "1":
        shown = inside["no_new_privileges"]
        faults.append(f"NoNewPrivs is {shown}" if shown else "NoNewPrivs is not shown")
    if inside["memory"] > outside["memory"]:
        faults.append("MemTotal is more than the limit")
    if "gvisor" not in inside["version"].lower():
        faults.append(f"it calls itself `{inside['version'][:40]}`")
    return not faults, "; ".join(faults) or f"as asked for; `{inside['version'][:40]}`"
