"""Every case of every page says what its rule says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules import pages

CASES = [case for page in pages.pages() for case in pages.cases(page)]


@pytest.fixture(scope="session", autouse=True)
def rewritten(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update", default=False):
        for page in pages.pages():
            page.write_text(pages.updated(page), encoding="utf-8")
        pytest.exit("pages rewritten: look at the difference, then run again", returncode=0)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}: {case.title}" for case in CASES])
def test_case(case: pages.Case) -> None:
    assert pages.outcome(case) == case.expected
    fixed = case.fix().text
    assert (fixed if fixed != case.source.text else "") == case.fixed
    assert (case.expected != "none\n") == (case.kind == "weak")


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.stem)
def test_page_is_written_as_update_would_write_it(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == pages.updated(page)
