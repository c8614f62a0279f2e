"""Every case of every page says what its rule says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd import rules
from tests.each_case import check_each
from tests.expected import Expect
from tests.rules import pages

PAGES = pages.pages()
NAMES = [page.stem.replace("_", "-") for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_each_case_says_what_its_rule_says(
    page: Path, request: pytest.FixtureRequest, expect: Expect
) -> None:
    if request.config.getoption("--update"):
        expect(page, pages.updated(page))
        return
    check_each(pages.cases(page), _check_case, lambda case: case.name)


def _check_case(case: pages.Case) -> None:
    rules.get(case.rule)  # says so where the index is not up to date
    outcome = pages.outcome(case)
    if outcome != case.expected:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rules, "able", lambda subject, _: _alone(case.rule, subject))
            assert pages.outcome(case) != case.expected, (
                f"`needs` of `{case.rule}` leave this case out: correct them and run `./dev docs`"
            )
    assert outcome == case.expected
    fixed = case.fix().text
    assert (fixed if fixed != case.source.text else "") == case.fixed
    assert (case.expected != "none\n") == (case.kind == "weak")


def _alone(rule: str, subject: str) -> list[str]:
    """The rule for each subject that it is asked about, whatever it needs."""
    return [rule] if subject in rules.subject(rules.get(rule)).split(" | ") else []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_page_is_laid_out_as_update_would_do_it(page: Path, expect: Expect) -> None:
    """Whatever its cases say now: that is the matter of the test above."""
    expect(page, pages.laid_out(page))
