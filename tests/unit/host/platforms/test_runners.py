"""Machines of a CI service: which are the platform's, and what works on them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.host.platforms import ci_github, ci_gitlab


@pytest.mark.parametrize(
    ("ci", "system", "is_it"),
    [("github", "Linux", True), ("github", "Darwin", False), ("gitlab", "Linux", False)],
)
def test_only_linux_runners_of_github_have_an_engine(ci: str, system: str, is_it: bool) -> None:
    facts: Any = SimpleNamespace(ci=ci, system=system)
    assert ci_github.matches(facts) is is_it


@pytest.mark.parametrize(
    ("engine", "gvisor", "step"),
    [
        (None, None, "sandboxd check"),
        (SimpleNamespace(error="refused"), "runsc", "sandboxd check"),
        (SimpleNamespace(error=""), None, "sandboxd check"),
        (SimpleNamespace(error=""), "runsc", "sandboxd up"),
    ],
)
def test_a_job_of_gitlab_starts_a_sandbox_where_its_engine_answers_and_has_gvisor(
    engine: Any, gvisor: str | None, step: str
) -> None:
    facts: Any = SimpleNamespace(engine=engine, usable_gvisor=lambda: gvisor)
    assert ci_gitlab.advice(facts).steps == (step,)
