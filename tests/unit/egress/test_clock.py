"""A clock that jumps ends an approval early at worst."""

from __future__ import annotations

from sandboxd.egress.gateway.address_book import AddressBook
from sandboxd.egress.gateway.clock import Clock
from sandboxd.egress.gateway.gate import Gate
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule


class Machine:
    """Its two clocks."""

    wall, passed = 1000.0, 50.0

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds


def verdict(gate: Gate) -> str:
    return gate.judge("open.example", 443).reason


def test_a_jump_back_does_not_lengthen_an_approval_and_one_ahead_ends_it_while_it_lasts() -> None:
    machine = Machine()
    gate = Gate(
        AddressBook("198.18.16.0/20", 0), Clock(lambda: machine.wall, lambda: machine.passed)
    )
    gate.set(Policy(rules=(Rule(pattern("open.example"), (443,), until=1060.0),)))
    machine.wait(30)
    machine.wall -= 86400
    assert verdict(gate) == "allowed"
    machine.wait(31)
    assert verdict(gate) == "expired"
    machine.wall += 86400 - 40
    assert verdict(gate) == "expired", "it is 1061 by what has passed"

    ahead = Machine()
    gate = Gate(AddressBook("198.18.16.0/20", 0), Clock(lambda: ahead.wall, lambda: ahead.passed))
    gate.set(Policy(rules=(Rule(pattern("open.example"), (443,), until=1060.0),)))
    ahead.wall += 3600
    assert verdict(gate) == "expired"
    ahead.wall -= 3600
    assert verdict(gate) == "allowed", "it recovers when the clock does"


def test_an_approval_of_a_clock_that_was_ahead_ends_by_what_passes_once_it_is_right_again() -> None:
    """And one of a clock that was set back has begun by that clock."""
    for error in (86400, -5000):
        machine = Machine()
        clock = Clock(lambda m=machine: m.wall, lambda m=machine: m.passed)
        gate = Gate(AddressBook("198.18.16.0/20", 0), clock, clock.start_again)
        machine.wall += error
        until = machine.wall + 60
        policy = Policy(1, rules=(Rule(pattern("open.example"), (443,), until=until),))
        gate.set(policy)
        if error > 0:
            machine.wall -= error
        machine.wait(59)
        assert verdict(gate) == "allowed"
        machine.wall -= 100
        gate.set(policy)
        machine.wait(2)
        assert verdict(gate) == "expired", "the same policy once more begins nothing anew"


def test_a_clock_that_was_behind_at_the_start_is_right_once_it_is_set() -> None:
    machine = Machine()
    machine.wall = 0.0
    clock = Clock(lambda: machine.wall, lambda: machine.passed)
    machine.wall = 5000.0
    assert clock() == 5000.0


def test_the_machines_own_clocks_are_read() -> None:
    import time

    assert abs(Clock()() - time.time()) < 60
