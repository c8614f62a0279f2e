"""Every case of every page says what its rule says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd import rules
from tests.expected import Expect
from tests.rules import pages

CASES = [case for page in pages.pages() for case in pages.cases(page)]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}: {case.title}" for case in CASES])
def test_case(case: pages.Case, request: pytest.FixtureRequest, expect: Expect) -> None:
    if request.config.getoption("--update"):
        expect(case.page, pages.updated(case.page))
        return
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


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.stem)
def test_page_is_laid_out_as_update_would_do_it(page: Path, expect: Expect) -> None:
    """Whatever its cases say now: that is the matter of `test_case`."""
    expect(page, pages.laid_out(page))
