"""Links that a review creates stay in the workspace, whatever is created beside them, now or later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.review import bring, choice, weigh
from tests.unit.review.copies import END, Copy, record


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    (root / "a/b/c").mkdir(parents=True)
    (root / "git").symlink_to(".git")
    (root / "data").symlink_to("/mnt")
    (root / "short").symlink_to("a/b/c")
    (root / "around").symlink_to("around")
    return root


def bring_all(copy: Copy, **links: str) -> list[str]:
    """The links that are brought where each is asked for, by their paths."""
    stream = [record("link", path, target.encode()) for path, target in links.items()]
    items = weigh.items(copy.read(b"".join(stream) + END))
    chosen = choice.choose(items, list(links), deletions=True)
    return list(bring.bring(str(copy.host), chosen.writes).done)


def leads_out(host: Path, path: str) -> bool:
    return not f"{os.path.realpath(host / path)}/".startswith(f"{os.path.realpath(host)}/")


def test_no_pair_of_links_leads_out_together(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    for pair in (
        {"a/b/c/d": "../../..", "x": "a/b/c/d/../../outside"},
        {"y": "new/../../host/../outside", "new": "a/b"},
    ):
        brought = bring_all(copy, **pair)
        assert not any(leads_out(host, path) for path in brought), brought
    assert bring_all(copy, up="a/b/c/e/../../y") == []
    assert bring_all(copy, **{"a/b/c/e": "../.."}) == ["a/b/c/e"]


def test_a_link_that_leads_out_later_is_not_created_now(tmp_path: Path, host: Path) -> None:
    copy = Copy(tmp_path, host)
    first = bring_all(copy, x="short/../../y")
    second = bring_all(copy, short="a")
    assert not any(leads_out(host, path) for path in (*first, *second))


@pytest.mark.parametrize(
    "target",
    [
        *("data/x", "short/../../../x", "around/x", "a/../..", "missing/../x", ""),
        *("git/config", "a/../git/hooks", "short/../../../.git/config"),
    ],
)
def test_a_link_through_the_host_s_own_links_stays_in_the_workspace(
    tmp_path: Path, host: Path, target: str
) -> None:
    assert bring_all(Copy(tmp_path, host), new=target) == []


@pytest.mark.parametrize("target", ["a/b/../b/c", "short/x", "missing/x", "./a//b", "a/b/.."])
def test_an_honest_link_comes_when_it_is_named(tmp_path: Path, host: Path, target: str) -> None:
    assert bring_all(Copy(tmp_path, host), new=target) == ["new"]
