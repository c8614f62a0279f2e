"""What the daemon remembers of a gateway, across its runs."""

from __future__ import annotations

import pytest

from sandboxd.daemon.gateway_memory import Memory
from sandboxd.egress.messages import Assigned, Refused
from tests.unit.daemon.gateway_events import CREDENTIALS, denied, event, policy


def assigned(seq: int, name: str, address: str) -> Assigned:
    return {"event": "assigned", "seq": seq, "time": 0.0, "name": name, "address": address}


def test_a_new_run_begins_its_numbers_anew_and_nothing_is_forgotten() -> None:
    memory = Memory()
    assert memory.begin("first") == 0
    memory.take(denied(4, "a.example"))
    assert memory.begin("first") == 4, "the same run goes on after a lost connection"
    assert memory.begin("second") == 0
    memory.take(denied(1, "b.example"))
    assert memory.ledger.totals.denied == 2


def test_the_events_of_one_container_are_not_those_of_the_next() -> None:
    memory = Memory()
    memory.container = "c1"
    memory.begin("first")
    memory.take(denied(1, "a.example"))
    memory.begin("second")
    assert memory.ledger.totals.denied == 1, "its gateway was started again"
    memory.container = "c2"
    memory.take(denied(2, "b.example"))
    memory.begin("third")
    assert memory.ledger.totals.denied == 2, "an editor made it anew, and the gateway went on"
    memory.container = "c3"
    assert memory.begin("fourth") == 0 and memory.ledger.totals.denied == 0


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


def test_after_a_line_that_nobody_can_read_the_gateway_has_no_policy() -> None:
    memory = Memory()
    memory.begin("first")
    memory.take(policy(1, 7))
    memory.take({**event("refused", op="events", version=0, why="no number"), "seq": 2})
    assert memory.version == 7, "its policy is another matter"
    memory.take({**event("refused", op="", version=0, why="not a line of JSON"), "seq": 3})
    assert memory.version == 0


def test_names_of_many_runs_are_bounded() -> None:
    """A program inside can look up endless names below a wildcard."""
    memory = Memory()
    for number in range(5000):
        memory.take(assigned(number + 1, f"n{number}.example", "198.18.16.1"))
    assert len(memory.known()) == 4096
    assert memory.known()[-1][0] == "n4999.example"


def test_a_gateway_that_has_no_credentials_gets_those_of_the_last_start() -> None:
    memory = Memory()
    memory.begin("first")
    assert not memory.lacks_credentials(), "nobody gave any"
    memory.keep_credentials("c1", CREDENTIALS)
    assert memory.lacks_credentials() and memory.credentials_of("c1") == CREDENTIALS
    assert memory.credentials_of("c2") is memory.credentials_of("") is None
    memory.take(event("credentials", services=[["npm", 8101]], mark="m"))
    assert not memory.lacks_credentials()
    memory.begin("second")
    assert memory.lacks_credentials()


@pytest.mark.parametrize(("op", "missing"), [("credentials", True), ("", True), ("policy", False)])
def test_a_refusal_that_takes_credentials_away_is_noticed(op: str, missing: bool) -> None:
    memory = Memory()
    memory.begin("first")
    memory.keep_credentials("c1", CREDENTIALS)
    memory.take(event("credentials", services=[["npm", 8101]], mark="m"))
    memory.take({**event("refused", op=op, version=0, why="no"), "seq": 2})
    assert memory.lacks_credentials() is missing
