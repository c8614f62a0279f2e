"""docs/merge.md has every project of the merge."""

from __future__ import annotations

from tests.merge_projects import NAMES
from tools import merge_page


def test_every_project_has_a_row() -> None:
    assert merge_page.listed() == set(NAMES)
