"""Hold a capability, or be able to gain one: Pod Security `restricted` leaves none."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes._kernel import Unable, read_text

TITLE = "hold a capability"
JUDGE = "open"
CLUSTER = "only"
EXPECTED = {"runc": "all are dropped", "runsc": "all are dropped"}
REMEDY = "something of the cluster gives rights to the Pod: `sandboxd drift` names what was changed"

_SETS = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    fields = dict(
        line.split(":", 1) for line in read_text("/proc/self/status").splitlines() if ":" in line
    )
    present = {name: fields[name].strip() for name in _SETS if name in fields}
    if "CapEff" not in present or "CapBnd" not in present:
        raise Unable("the kernel does not show its capabilities")
    held = [f"{name} is {value}" for name, value in present.items() if int(value, 16)]
    if held:
        return {"detail": ", ".join(held)}
    raise PermissionError("none is held, and none can be gained")
