"""Files that go a few at a time are asked about as those that go at once, but for what the sandbox made itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.sync.run import Report, Rest, keep_the_same
from sandboxd.sync.stops import Reason
from tests.unit.sync.pair import Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    both = Folders(tmp_path)
    for number in range(50):
        (both.host / f"f{number}").write_text(f"of the host {number}")
    assert both.keep().rest is Rest.SAME
    return both


def remove(both: Folders, start: int, count: int) -> Report:
    for number in range(start, start + count):
        (both.inside / f"f{number}").unlink(missing_ok=True)
    return both.keep()


def anew(both: Folders) -> Folders:
    """As another process, which knows only what is written down."""
    return Folders(both.base)


def removed_until_asked(both: Folders) -> int:
    for number in range(0, 50, 2):
        report = remove(both, number, 2)
        if report.rest is Rest.STOPPED:
            stop = report.last.stop
            assert stop is not None and stop.reason is Reason.REMOVALS
            assert (len(stop.files), stop.earlier) == (2, number)
            return number
    return 50


def test_so_many_go_before_it_is_asked(folders: Folders) -> None:
    assert removed_until_asked(folders) <= 10
    left = len(list(folders.host.iterdir()))
    # Neither a pause nor another process has them forgotten, and nothing goes without the answer.
    assert anew(folders).keep().rest is Rest.STOPPED
    assert len(list(folders.host.iterdir())) == left


def test_after_the_answer_it_counts_from_nothing(folders: Folders) -> None:
    at = removed_until_asked(folders)
    stop = folders.keep().last.stop
    assert stop is not None
    report = keep_the_same(*folders.pair()[:4], allowed=stop.files)
    assert report.rest is Rest.SAME
    assert not (folders.host / f"f{at}").exists()
    assert remove(anew(folders), at + 2, 2).rest is Rest.SAME


def test_what_is_there_again_or_renamed_does_not_count(folders: Folders) -> None:
    for start in range(0, 50, 10):
        assert remove(folders, start, 10).rest is Rest.SAME
        for number in range(start, start + 10):
            path = folders.inside / (f"f{number}" if number % 2 else f"renamed{number}")
            path.write_text(f"of the host {number}")
        assert folders.keep().rest is Rest.SAME


def test_what_the_sandbox_made_does_not_count(folders: Folders) -> None:
    """A build that writes and removes its files again and again."""
    for round_number in range(8):
        for number in range(10):
            (folders.inside / f"made{number}").write_text(f"{round_number} {number}")
        assert folders.keep().rest is Rest.SAME
        for number in range(10):
            (folders.inside / f"made{number}").write_text("again")
        assert folders.keep().rest is Rest.SAME
        for number in range(10):
            (folders.inside / f"made{number}").unlink()
        assert folders.keep().rest is Rest.SAME


def test_what_it_made_and_the_host_changed_counts(folders: Folders) -> None:
    for number in range(15):
        (folders.inside / f"made{number}").write_text("made inside")
    folders.keep()
    for number in range(15):
        (folders.host / f"made{number}").write_text(f"mine now {number}")
    folders.keep()
    reports = []
    for number in range(15):
        (folders.inside / f"made{number}").unlink()
        reports.append(folders.keep().rest)
    assert Rest.STOPPED in reports


def test_a_file_that_is_renamed_and_then_rewritten_counts(folders: Folders) -> None:
    """The host's version is gone as if it had been removed, whatever the detour."""
    rests = set()
    for number in range(15):
        (folders.inside / f"f{number}").rename(folders.inside / f"moved{number}")
        folders.keep()
        (folders.inside / f"moved{number}").write_text("x")
        folders.keep()
        (folders.inside / f"moved{number}").unlink()
        rests.add(folders.keep().rest)
    assert Rest.STOPPED in rests
