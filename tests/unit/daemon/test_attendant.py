"""What the daemon remembers of a gateway, across its runs."""

from __future__ import annotations

from sandboxd.daemon.attendant import Memory
from sandboxd.egress.messages import Assigned, Attempted, PolicySet, Refused


def policy(seq: int, version: int) -> PolicySet:
    return {"event": "policy", "seq": seq, "time": 0.0, "version": version, "ports": []}


def assigned(seq: int, name: str, address: str) -> Assigned:
    return {"event": "assigned", "seq": seq, "time": 0.0, "name": name, "address": address}


def denied(seq: int, name: str) -> Attempted:
    return {
        "event": "denied",
        "seq": seq,
        "time": 0.0,
        "name": name,
        "port": 80,
        "door": "direct",
        "reason": "no-rule",
        "rule": "",
        "count": 1,
    }


def test_a_new_run_begins_its_numbers_anew_and_nothing_is_forgotten() -> None:
    memory = Memory()
    assert memory.begin("first") == 0
    memory.take(denied(4, "a.example"))
    assert memory.begin("first") == 4, "the same run goes on after a lost connection"
    assert memory.begin("second") == 0
    memory.take(denied(1, "b.example"))
    assert memory.ledger.totals.denied == 2


def test_addresses_outlive_the_gateway_that_gave_them() -> None:
    memory = Memory()
    memory.begin("first")
    memory.take(assigned(1, "a.example", "198.18.16.1"))
    memory.begin("second")
    assert memory.known() == (("a.example", "198.18.16.1"),)


def test_the_version_is_that_of_the_gateway_of_now() -> None:
    memory = Memory()
    memory.begin("first")
    memory.take(policy(1, 7))
    assert memory.version == 7
    refused: Refused = {
        "event": "refused",
        "seq": 2,
        "time": 0.0,
        "op": "policy",
        "version": 8,
        "why": "no",
    }
    memory.take(refused)
    assert memory.version == 0, "it lets nothing through, so it has to get one"
    memory.take(policy(3, 9))
    memory.begin("second")
    assert memory.version == 0


def test_names_of_many_runs_are_bounded() -> None:
    """A program inside can look up endless names below a wildcard."""
    memory = Memory()
    for number in range(5000):
        memory.take(assigned(number + 1, f"n{number}.example", "198.18.16.1"))
    assert len(memory.known()) == 4096
    assert memory.known()[-1][0] == "n4999.example"
