"""What recorded runs say is put together file by file."""

from __future__ import annotations

import pytest

from tests import tiers
from tests.tiers import Part
from tools.suite import recorded


def test_a_run_replaces_what_it_has_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (Part("runc", "", ("tests/e2e/test_a.py::[runc]", "tests/e2e/test_b.py")),)
    monkeypatch.setattr(tiers, "parts", lambda: parts)
    old = {
        "tests/e2e/test_a.py": 1,
        "tests/e2e/test_a.py::[runc]": 2,
        "tests/e2e/test_a.py::test_that_has_a_row_no_more": 3,
        "tests/e2e/test_b.py": 4,
    }
    new = {"tests/e2e/test_a.py": 5}
    assert recorded.merged(old, new) == {
        "tests/e2e/test_a.py": 5,
        "tests/e2e/test_a.py::[runc]": 2,
        "tests/e2e/test_b.py": 4,
    }
