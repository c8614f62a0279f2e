"""No regular expression of the product costs more than in proportion to its text.

One that matches keeps the interpreter to itself: for as long, no other thread of the daemon halts a sandbox.
"""

from __future__ import annotations

import re

import pytest

from tests.contract.pattern_growth import find_growth
from tests.contract.pattern_lists import IN_PROPORTION, MADE
from tests.contract.pattern_uses import Use, product_uses

_MATCHES = ("match", "fullmatch")


@pytest.mark.parametrize(
    ("pattern", "method", "grows"),
    [
        (r"\s+$", "search", True),
        (r"(?m)^\s*#", "search", True),
        (r"(?m)^[ \t]*#", "search", False),
        (r"(?<!\s)\s++$", "search", False),
        (r"\w+\s*=", "search", True),
        (r"\b\w++\s*+=", "search", False),
        (r"\"[^\"]*\"", "search", False),
        (r"\"(?:[^\"\\]|\\.)*\"", "search", True),
        (r"(?s)\"(?:[^\"\\]|\\.)*+\"?", "search", False),
        (r"a(?=.*)x", "search", True),
        (r"(?m)^.*(?:url|index).*$", "search", False),
        (r"x\s{0,20}\s{0,20}y", "search", False),
        (r"\s*\s*y", "match", True),
        (r"\s*+\s*y", "match", False),
        (r"(?:a+)+b", "match", True),
        (r"(?:\wx|a\w)*;", "match", True),
        (r"(?:a|b)*c", "match", False),
        (r"(?:#[^\n]*\r?\n)*x", "match", True),
        (r"(?:#[^\n]*+\n)*x", "match", False),
        (r"(?:[^\"\\]++|\\.)*\"", "match", False),
        (r"(?:[^\"\\]+|\\.)*\"", "match", True),
        (r"(?P<quote>['\"])x*\1", "match", False),
        (r"[^,]*, (.*)", "match", False),
        (r"[^,]*, (.*)", "search", True),
        (r"\s*.*", "fullmatch", True),
        (r"\s*.*", "match", False),
    ],
)
def test_growth_is_told_from_a_pattern(pattern: str, method: str, grows: bool) -> None:
    found = find_growth(pattern, is_search=method not in _MATCHES, is_whole=method == "fullmatch")
    assert (found is not None) is grows, found


def test_no_pattern_of_the_product_costs_more_than_in_proportion() -> None:
    uses = {use: module.removeprefix("sandboxd.") for use, module in product_uses().known.items()}
    for (module, _), (method, make) in MADE.items():
        uses |= {Use(each, re.compile(each).flags, method): module for each in make()}
    growing = {}
    for use, module in uses.items():
        found = find_growth(
            use.pattern,
            use.flags,
            is_search=use.method not in _MATCHES,
            is_whole=use.method == "fullmatch",
        )
        if found is not None:
            growing[module, use.method] = (use.pattern, found)
    new = {place: found for place, found in growing.items() if place not in IN_PROPORTION}
    assert not new, "a text of `repeated` many times costs more than its length"
    assert growing.keys() == IN_PROPORTION.keys(), "a reason is given for what needs none"


def test_each_pattern_that_is_made_while_it_runs_is_listed() -> None:
    unknown = {(module.removeprefix("sandboxd."), text) for module, text in product_uses().unknown}
    assert unknown == MADE.keys()
    assert all([*make()] for _, make in MADE.values())
