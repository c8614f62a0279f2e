"""What whole runs leave out or do not fail with is named by lists that are right, and the rest fits its time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import tiers
from tools.suite import recorded

ROOT = Path(__file__).resolve().parents[2]
NAMED = [(part.name, name) for part in tiers.parts() for name in part.tests]
NAMED += [("quarantine", row.test) for row in tiers.quarantine()]


@pytest.mark.parametrize("name", sorted({name for _, name in NAMED}))
def test_what_a_list_names_is_there(name: str) -> None:
    path, _, test = name.partition("::")
    assert (ROOT / path).exists()
    if test.startswith("["):
        readers = (ROOT / path, (ROOT / path).parent / "conftest.py")
        assert any(f'"{test[1:-1]}"' in file.read_text() for file in readers)
    elif test:
        function = test.partition("[")[0].split("::")[-1]
        assert re.search(rf"^ *(async )?def {function}\(", (ROOT / path).read_text(), re.M)


def test_no_test_is_in_two_parts() -> None:
    names = [name for part in tiers.parts() for name in part.tests]
    assert [a for a in names for b in names if a != b and tiers.names(b, a)] == []
    assert len(names) == len(set(names))


def test_every_part_and_every_quarantine_gives_its_reason() -> None:
    assert [part.name for part in tiers.parts() if not part.what.strip()] == []
    assert [row.test for row in tiers.quarantine() if len(row.seen) < 20] == []
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", row.since) for row in tiers.quarantine())


def test_dev_test_fits_ten_minutes_of_two_cores_by_the_last_record() -> None:
    """A record of a busy machine says half as much again as one of a quiet machine."""
    files = recorded.load()
    taken = [file for name, file in files.items() if not _is_later(name)]
    assert sum(file["processor"] for file in taken) <= 600 * 2


def _is_later(name: str) -> bool:
    return any(tiers.names(each, name) for part in tiers.parts() for each in part.tests)
