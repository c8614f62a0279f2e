"""Expected output that stands in files: `pytest --update` writes it anew.

Only the files of the tests that run are written (`-k` counts), and a test that wrote fails: nobody has
looked at what it expects from then on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest


class Expect(Protocol):
    """Compares a text with a file that holds what is expected."""

    def __call__(self, path: Path, text: str) -> None:
        """Fail unless `path` holds `text`; with `--update`, write it first where it differs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update",
        action="store_true",
        help="write expected outputs anew and fail where they changed: review the difference",
    )


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Expect:
    """A comparison with files that `--update` writes."""
    update = bool(request.config.getoption("--update"))

    def compare(path: Path, text: str) -> None:
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if update and text != before:
            path.write_text(text, encoding="utf-8")
            pytest.fail(f"{path} was written: review the difference, then run again", pytrace=False)
        assert text == before

    return compare
