"""Folders of objects enter by the user's word, or because they are in the workspace."""

from __future__ import annotations

from pathlib import Path

from sandboxd.plan.git_objects import ObjectFolder, object_folders, target_of


def _objects(folder: Path, *others: str) -> str:
    (folder / "objects/info").mkdir(parents=True)
    if others:
        (folder / "objects/info/alternates").write_text("".join(f"{line}\n" for line in others))
    return str(folder / "objects")


def test_alternates_in_the_workspace_are_followed(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    own = _objects(base / "shop/.git", "# a note", "../../mirror/objects", "../../gone/objects")
    mirror = _objects(base / "shop/mirror", own)
    result = object_folders(str(base / "shop"), str(base / "shop/.git"))
    assert result.folders == (ObjectFolder(own, True), ObjectFolder(mirror, True))
    assert result.refused == (str(base / "shop/gone/objects"),)
    assert [target_of(number) for number in range(2)] == [
        "/sandboxd/git/objects",
        "/sandboxd/git/objects-1",
    ]


def test_one_elsewhere_or_behind_a_link_is_not(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    other = _objects(base / "other/.git")
    (base / "shop").mkdir()
    (base / "shop/link").symlink_to(base / "other/.git")
    named = (other, "../../../other/.git/objects", f"{base}/shop/link/objects")
    own = _objects(base / "shop/.git", *named)
    result = object_folders(str(base / "shop"), str(base / "shop/.git"))
    assert result.folders == (ObjectFolder(own, True),)
    assert result.refused == (other, f"{base}/shop/link/objects")


def test_a_list_behind_a_link_is_not_read(tmp_path: Path) -> None:
    base = tmp_path.resolve()
    own = _objects(base / "shop/.git")
    (base / "list").write_text(f"{base}/shop\n")
    (base / "shop/.git/objects/info/alternates").symlink_to(base / "list")
    result = object_folders(str(base / "shop"), str(base / "shop/.git"))
    assert result.folders == (ObjectFolder(own, False),)
