"""What `prune` takes for ours, and what it frees of that."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sandboxd.engine.client import Engine
from sandboxd.model.labels import VOLUME
from sandboxd.operations import prune
from sandboxd.operations.prune import kinds
from sandboxd.operations.request import Request
from sandboxd.plan.container_name import container_name

SANDBOX = "/home/ann/shop//login"
OWN = container_name(SANDBOX).removeprefix("sandboxd-")


class Played:
    """An engine with volumes alone: name, labels, bytes, number of users."""

    host = "unix:///played"

    def __init__(self, *there: tuple[str, dict[str, str], int, int]) -> None:
        self.there = {name: (labels, size, users) for name, labels, size, users in there}
        self.removed: list[str] = []

    def volumes(self, label: str) -> list[dict[str, Any]]:
        return [
            {"Name": name, "Labels": labels}
            for name, (labels, _, _) in self.there.items()
            if label in labels
        ]

    def volume_uses(self) -> dict[str, tuple[int, int]]:
        return {name: (size, users) for name, (_, size, users) in self.there.items()}

    def volume(self, name: str) -> object:
        return None if name in self.removed else {"Name": name}

    def remove_volume(self, name: str) -> bool:
        self.removed.append(name)
        return True


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    ours = {VOLUME: SANDBOX}
    engine = Played(
        (f"sandboxd-copy-{OWN}-agent", ours, 10, 0),
        (f"sandboxd-home-{OWN}-agent", ours, 20, 0),
        (f"sandboxd-caches-{OWN}-agent", ours, 30, 0),
        (f"sandboxd-caches-{OWN}-dev", ours, 40, 1),
        # Somebody else's with our label, and one with our name.
        ("postgres", ours, 50, 0),
        ("sandboxd-caches-shop-0-agent", ours, 50, 0),
        ("sandboxd-pin-1", {}, 50, 0),
        ("sandboxd-pin-2", {"dev.sandboxd.pin": "true"}, 0, 0),
    )
    monkeypatch.setattr(kinds, "_names", lambda: ["volumes"])
    return engine


def rows(engine: Played, **options: bool) -> dict[str, tuple[str, bool]]:
    request = Request("/", {}, options, lambda: cast("Engine", engine))
    return {row.name: (row.state, row.is_freed) for row in prune.serve(request).rows}


def test_a_named_sandbox_is_shown_with_the_option_that_chooses_it(played: Played) -> None:
    request = Request("/", {}, {"frees": False, "with_work": False}, lambda: cast("Engine", played))
    about = {row.name: row.about for row in prune.serve(request).rows}
    assert about[f"sandboxd-copy-{OWN}-agent"] == "of /home/ann/shop --name login"


def test_only_what_has_our_label_and_our_name_is_listed(played: Played) -> None:
    assert rows(played, frees=False, with_work=False) == {
        f"sandboxd-copy-{OWN}-agent": ("work", False),
        f"sandboxd-home-{OWN}-agent": ("work", False),
        f"sandboxd-caches-{OWN}-agent": ("unused", False),
        f"sandboxd-caches-{OWN}-dev": ("in use", False),
        "sandboxd-pin-2": ("unused", False),
    }
    assert played.removed == []


def test_work_goes_only_when_it_is_asked_for(played: Played) -> None:
    rows(played, frees=True, with_work=False)
    assert set(played.removed) == {f"sandboxd-caches-{OWN}-agent", "sandboxd-pin-2"}
    rows(played, frees=True, with_work=True)
    assert f"sandboxd-copy-{OWN}-agent" in played.removed
    assert f"sandboxd-caches-{OWN}-dev" not in played.removed


def test_caches_that_are_left_are_added_up_beside_their_bound(played: Played) -> None:
    request = Request("/", {}, {"frees": False, "with_work": False}, lambda: cast("Engine", played))
    assert prune.serve(request).caches == (70, 20 << 30)
    request = Request("/", {}, {"frees": True, "with_work": False}, lambda: cast("Engine", played))
    assert prune.serve(request).caches == (40, 20 << 30)


def test_to_list_work_frees_nothing(played: Played) -> None:
    rows(played, frees=False, with_work=True)
    assert played.removed == []
