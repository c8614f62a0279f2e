from __future__ import annotations

import pytest

from sandboxd.halt.verdict import Action, Kind, Version, decide

OLD = Version(Kind.FILE, b"old")
NEW = Version(Kind.FILE, b"new")
FOLDER = Version(Kind.FOLDER)
NOTHING = Version(Kind.NOTHING)


@pytest.mark.parametrize(
    ("before", "now", "action"),
    [
        (OLD, NEW, Action.PUT_BACK),
        (OLD, OLD, Action.LEFT),
        (OLD, NOTHING, Action.LEFT),
        (OLD, FOLDER, Action.PUT_BACK),
        (OLD, Version(Kind.OTHER), Action.PUT_BACK),
        # Too large to be read: not known to be the same.
        (OLD, Version(Kind.FILE), Action.PUT_BACK),
        (Version(Kind.FILE), NEW, Action.SET_ASIDE),
        (FOLDER, FOLDER, Action.SET_ASIDE),
        (FOLDER, NEW, Action.SET_ASIDE),
        (FOLDER, NOTHING, Action.LEFT),
        (None, NEW, Action.LEFT),
        (None, FOLDER, Action.LEFT),
    ],
)
def test_what_may_be_from_inside_does_not_stay(
    before: Version | None, now: Version, action: Action
) -> None:
    assert decide(".envrc", before, now) is action


def test_the_config_stays_since_only_granted_bytes_of_it_count() -> None:
    assert decide("sandboxd.toml", OLD, NEW) is Action.LEFT
    assert decide("sandboxd.toml", OLD, Version(Kind.OTHER)) is Action.PUT_BACK
