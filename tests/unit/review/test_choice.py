"""A deletion is brought only when somebody names it or asks for deletions, in bulk only by number."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.cli import review_document
from sandboxd.operations.review import Reviewed
from sandboxd.review import choice, weigh
from sandboxd.review.changes import Changes
from tests.unit.review.copies import Copy


@pytest.fixture
def items(tmp_path: Path) -> tuple[weigh.Item, ...]:
    host = tmp_path / "host"
    (host / ".vscode").mkdir(parents=True)
    for name in ("gone.txt", "also-gone.txt", "stays.txt", ".vscode/tasks.json"):
        (host / name).write_text(f"{name}\n")
    copy = Copy(tmp_path, host)
    for name in ("gone.txt", "also-gone.txt", ".vscode/tasks.json"):
        (copy.inside / name).unlink()
    (copy.inside / "stays.txt").write_text("new\n")
    return weigh.items(copy.changes())


def unchanged(tmp_path: Path) -> Changes:
    """Those of a second copy, in which nothing was changed."""
    (tmp_path / "second").mkdir()
    return Copy(tmp_path / "second", tmp_path / "host").changes()


def paths(chosen: tuple[weigh.Item, ...]) -> list[str]:
    return [item.path for item in chosen]


def test_no_deletion_comes_by_itself(items: tuple[weigh.Item, ...]) -> None:
    chosen = choice.choose(items, (), deletions=False)
    assert paths(chosen.writes) == ["stays.txt"]
    assert chosen.deletions == ()
    assert {item.path: why for item, why in chosen.left} == {
        ".vscode/tasks.json": "editor settings and tasks",
        "also-gone.txt": "a deletion",
        "gone.txt": "a deletion",
    }


def test_a_deletion_comes_by_its_name(items: tuple[weigh.Item, ...]) -> None:
    chosen = choice.choose(items, ("gone.txt",), deletions=False)
    assert paths(chosen.deletions) == ["gone.txt"]


def test_deletions_that_are_asked_for_leave_what_tools_act_on(
    items: tuple[weigh.Item, ...],
) -> None:
    chosen = choice.choose(items, (), deletions=True)
    assert paths(chosen.deletions) == ["also-gone.txt", "gone.txt"]
    assert [item.path for item, _ in chosen.left] == [".vscode/tasks.json"]


@pytest.mark.parametrize(
    ("deletions", "files", "bulk"),
    [
        (0, 0, False),
        (1, 1, False),
        (2, 19, True),
        (2, 20, False),
        (20, 1000, False),
        (21, 9999, True),
    ],
)
def test_bulk(deletions: int, files: int, bulk: bool) -> None:
    assert choice.is_bulk(deletions, files) == bulk


def test_files_are_counted_without_git_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".git/objects").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("x")
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("x")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "outside").symlink_to("/etc/passwd")
    # A link to a folder is listed among the folders.
    assert choice.count_files(str(tmp_path)) == 2


def test_the_digest_is_of_what_is_written_and_of_what_is_told(
    items: tuple[weigh.Item, ...],
) -> None:
    digest = choice.digest(items)
    assert digest == choice.digest(list(items))
    for other in (
        items[0]._replace(new=b"other\n"),
        items[0]._replace(old=b"moved\n"),
        items[0]._replace(executable=True),
        items[0]._replace(control="a reason"),
    ):
        assert choice.digest((other, *items[1:])) != digest
    assert choice.digest(items[1:]) != digest


def test_the_document_has_both_sides_and_what_comes_by_itself(
    items: tuple[weigh.Item, ...], tmp_path: Path
) -> None:
    changes = unchanged(tmp_path)
    document = review_document.document(Reviewed(changes, items, None))
    rows = {row["path"]: row for row in document["changes"]}
    assert [path for path, row in rows.items() if row["by_itself"]] == ["stays.txt"]
    stays, gone = rows["stays.txt"], rows["gone.txt"]
    assert (stays["old"], stays["new"], stays["added"]) == ("stays.txt\n", "new\n", 1)
    assert (gone["old"], gone["new"], gone["kind"]) == ("gone.txt\n", None, "deleted")
    assert document["digest"] == choice.digest(items)


def test_contents_beyond_the_bound_are_not_shown_and_said_so(
    items: tuple[weigh.Item, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_document, "MOST_TEXT", 24)
    changes = unchanged(tmp_path)
    room = review_document.MOST_TEXT
    for row in review_document.document(Reviewed(changes, items, None))["changes"]:
        texts = [row[side] for side in ("old", "new") if row[side] is not None]
        if row["shown"]:
            room -= sum(map(len, texts))
        else:
            assert texts == []
    assert room >= 0
