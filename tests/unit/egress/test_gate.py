"""What only the running gateway knows: used rules, names in disguise, and whose an address is."""

from __future__ import annotations

from sandboxd.egress.gateway.address_book import AddressBook
from sandboxd.egress.gateway.gate import LONGEST_PREFIX, NEW_PREFIXES, Gate
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule

ONCE = Rule(pattern("once.example"), (443,), once="1")
WILD = Rule(pattern("*.wild.example"), (443,))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def gate(*rules: Rule, clock: Clock | None = None) -> Gate:
    result = Gate(AddressBook("198.18.16.0/20", 7), clock or Clock())
    result.set(Policy(rules=rules))
    return result


def test_a_rule_for_one_connection_is_gone_when_it_is_claimed() -> None:
    judge = gate(ONCE)
    first = judge.judge("once.example", 443)
    judge.claim(first.rule)
    assert first.allowed
    assert judge.judge("once.example", 443).reason == "no-rule"
    judge.give_back(first.rule)
    assert judge.judge("once.example", 443).allowed


def test_an_approval_for_once_stays_used_whatever_policies_say_of_it() -> None:
    judge = gate(ONCE)
    judge.claim(ONCE)
    judge.set(Policy(version=2, rules=(WILD,)))
    for until in (0.0, 500.0):  # a clock that was set moves the end
        judge.set(Policy(version=3, rules=(ONCE._replace(until=until), WILD)))
        assert not judge.judge("once.example", 443).allowed
    judge.set(Policy(version=4, rules=(ONCE, ONCE._replace(once="2"))))
    assert judge.judge("once.example", 443).allowed


def test_a_rule_ends_by_the_gateways_own_clock() -> None:
    clock = Clock()
    judge = gate(Rule(pattern("late.example"), (443,), until=200.0), clock=clock)
    assert judge.judge("late.example", 443).allowed
    clock.now = 200.0
    assert judge.judge("late.example", 443).reason == "expired"


def test_names_below_a_wildcard_are_bounded_in_length() -> None:
    judge = gate(WILD)
    half = "a" * (LONGEST_PREFIX // 2)
    assert judge.judge(f"{half}.{half[1:]}.wild.example", 443).allowed
    assert judge.judge(f"{half}.{half}.wild.example", 443).reason == "label-data"


def test_new_names_below_a_wildcard_are_bounded_in_a_minute() -> None:
    clock = Clock()
    judge = gate(WILD, clock=clock)
    names = [f"n{number}.wild.example" for number in range(NEW_PREFIXES + 1)]
    assert [judge.judge(name, 443).reason for name in names] == ["allowed"] * NEW_PREFIXES + [
        "label-data"
    ]
    assert judge.judge(names[0], 443).allowed  # it was there before
    clock.now += 61
    assert judge.judge(names[-1], 443).allowed


def test_an_address_stands_for_one_name_for_ever() -> None:
    book = AddressBook("198.18.16.0/29", 4)
    addresses = [book.assign(f"n{number}.example", below=False) for number in range(6)]
    assert len(set(addresses)) == 6
    assert set(addresses) == {f"198.18.16.{number}" for number in range(1, 7)}
    assert book.assign("more.example", below=False) is None


def test_names_below_wildcards_leave_room_for_the_others() -> None:
    book = AddressBook("198.18.16.0/29", 0)
    given = [book.assign(f"n{number}.wild.example", below=True) for number in range(4)]
    assert [address is None for address in given] == [False] * 3 + [True]
    assert book.assign("a.example", below=False) is not None


def test_addresses_of_before_keep_their_meaning_and_those_of_now_win() -> None:
    book = AddressBook("198.18.16.0/29", 0)
    assert book.assign("new.example", below=False) == "198.18.16.1"
    book.learn([("old.example", "198.18.16.3"), ("wrong.example", "198.18.16.1"),
                ("new.example", "198.18.16.4"), ("far.example", "198.18.32.1")])  # fmt: skip
    assert book.name("198.18.16.1") == "new.example"
    assert book.address("old.example") == "198.18.16.3"
    assert book.address("wrong.example") is None and book.address("far.example") is None
    assigned = {book.assign(f"n{number}.example", below=False) for number in range(4)}
    assert "198.18.16.3" not in assigned
