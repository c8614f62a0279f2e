"""Scripts made to keep a check busy: what is found in them is bounded, and looked for once."""

from __future__ import annotations

import re

import pytest

from sandboxd.rules import _tls
from sandboxd.rules._fetches import Downloads


def test_a_script_of_fetches_alone_is_searched_once_for_what_other_rules_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searches: list[str] = []

    def search(script: str) -> list[re.Match[str]]:
        searches.append(script)
        return []

    monkeypatch.setattr(_tls, "remote_scripts", search)
    parts = list(_tls.open_parts("curl -k https://get.example/x;" * 5_000))
    assert len(parts) == 200
    assert len(searches) == 1


def test_of_many_files_that_are_fetched_the_first_are_known() -> None:
    fetches = "".join(f"curl -o f{n} https://get.example/f;" for n in range(1_000))
    assert [run.fetch for run in Downloads().read(f"{fetches} sh f0; sh f999")] == [
        "curl -o f0 https://get.example/f"
    ]
