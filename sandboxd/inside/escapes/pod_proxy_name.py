"""Have the gateway look up, or lead to, Services of other namespaces: its own name server knows them all."""

from __future__ import annotations

from typing import Any

from sandboxd.inside.escapes import _doors, _network

TITLE = "get to a Service of another namespace by its name through the gateway"
JUDGE = "open"
CLUSTER = "only"
GROUP = _network.EGRESS
WAITS = True
EXPECTED = {"runc": "the gateway's policy", "runsc": "the gateway's policy"}
REMEDY = "the gateway's policy allows names of the cluster: `sandboxd drift` shows whether it is the one of `up`"


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    address = _doors.gateway(facts)
    last = OSError("no name to try")
    for name in facts["cluster_names"]:
        try:
            packet = _doors.query(name)
            if number := _doors.address_in(_doors.ask(address, packet), packet):
                return {"detail": f"the gateway says that {name} is {number}", "target": name}
        except OSError as error:
            last = error
        for port in (443, 53):
            try:
                answer = _doors.connect(address, name, port)
            except OSError as error:
                last = error
                continue
            if b" 200 " in answer[:32]:
                return {"detail": f"the proxy leads to {name} port {port}", "target": name}
            last = OSError(f"refused: {answer.partition(bytes([13]))[0].decode('latin-1')}")
    raise last
