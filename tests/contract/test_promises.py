"""Each line of README's table of promises has tests that are run and fail when it is broken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import tiers
from tests.contract.promises import PROMISES

ROOT = Path(__file__).resolve().parents[2]
_TABLE = re.compile(r"^\| promised \| by \|\n\|---\|---\|\n((?:\|.*\n)+)", re.M)
TESTS = sorted({test for tests in PROMISES.values() for test in tests})


def promised(page: str) -> list[str]:
    """What the table of a page promises, line by line."""
    table = _TABLE.search(page)
    assert table is not None, "the table of promises is gone"
    return [line.split(" | ")[0].removeprefix("| ") for line in table[1].splitlines()]


def test_each_line_of_the_table_has_its_tests() -> None:
    assert promised((ROOT / "README.md").read_text()) == list(PROMISES)
    assert [line for line, tests in PROMISES.items() if not tests] == []


@pytest.mark.parametrize("test", TESTS)
def test_a_test_of_a_promise_is_there_and_counts(test: str) -> None:
    path, _, function = test.partition("::")
    text = (ROOT / path).read_text()
    head = re.search(rf"((?:^@.*\n|^ .*\n|^\).*\n)*)^(async )?def {function}\(", text, re.M)
    assert head is not None
    assert "xfail" not in head[1] and "mark.skip(" not in head[1]
    assert not any(tiers.names(row.test, test) for row in tiers.quarantine())


def test_a_line_that_nobody_holds_is_seen() -> None:
    page = "| promised | by |\n|---|---|\n| one thing | a test |\n| another | hope |\n\nmore\n"
    assert promised(page) == ["one thing", "another"]
