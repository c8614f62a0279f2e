"""What is shown of a side is what it had then, whatever happens to it later, and a save copies no list of all of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandboxd.sync import overlay
from sandboxd.sync.overlay import Moments, Overlay
from sandboxd.sync.state import FOLDER, Entry

changes = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3) | st.none(), max_size=4)


@given(st.lists(changes, max_size=12), st.integers(0, 8))
def test_what_is_shown_is_what_was_there(rounds: list[dict[str, int | None]], few: int) -> None:
    present: dict[str, Entry] = {}
    moments, shown = Moments(present), []
    limits = overlay._LEAST
    overlay._LEAST = few
    try:
        for each in rounds:
            for path, inode in each.items():
                present.pop(path, None)
                if inode is not None:
                    present[path] = Entry(FOLDER, inode=inode)
            shown.append((moments.show(each), dict(present)))
    finally:
        overlay._LEAST = limits
    for entries, was in shown:
        assert dict(entries.items()) == was
        assert entries == was
        assert was == entries
        assert len(entries) == len(was)
        assert bool(entries) is bool(was)
        for path in "abcdefghi":
            assert (path in entries) is (path in was)
            assert entries.get(path) == was.get(path)
        assert entries.keys() - {"a"} == was.keys() - {"a"}


def test_few_changes_among_many_entries_are_laid_over_them() -> None:
    present = {str(number): Entry(FOLDER, inode=number) for number in range(100_000)}
    moments = Moments(present)
    first = moments.show(present)
    del present["7"]
    second = moments.show(["7"])
    assert isinstance(second, Overlay)
    assert second._base is first
    assert "7" in first
    assert "7" not in second
    assert moments.show([]) is second
    assert isinstance(moments.show(map(str, range(50_000))), dict)
