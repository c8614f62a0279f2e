"""What git ignores stays where it was made, by the ignore files and the index that the host has at each moment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.sync.git_ignored import GitIgnored
from sandboxd.sync.run import Rest, keep_the_same
from tests.unit.sync.pair import Folders, texts


class Repository(Folders):
    """Two folders of which `host` has a repository."""

    def __init__(self, base: Path, *wanted: str) -> None:
        super().__init__(base)
        self.git("init", "-q")
        self.policies = GitIgnored(str(self.host), "", wanted)

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.host), *words], check=True, capture_output=True)

    def keep_all(self) -> None:
        report = keep_the_same(*self._sides, self.journal, self.policies)
        assert report.rest is Rest.SAME

    def inner(self) -> set[str]:
        return set(texts(self.inside))


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_what_is_ignored_passes_neither_way(tmp_path: Path) -> None:
    both = Repository(tmp_path)
    (both.host / ".gitignore").write_text("build\n*.log\n!kept.log\n")
    write(both.host, build__a="a", src__main="m")
    (both.host / "src/.gitignore").write_text("own\n")
    (both.host / "kept.log").write_text("k")
    write(both.host, src__own="o", own="not ignored here")
    write(both.inside, build__b="b")
    (both.inside / "x.log").write_text("x")
    both.keep_all()
    assert both.inner() == {
        ".gitignore", "src/main", "src/.gitignore", "kept.log", "own", "build/b", "x.log"
    }  # fmt: skip
    assert not (both.host / "build/b").exists()
    assert not (both.host / "x.log").exists()


def test_what_git_tracks_is_not_ignored_and_what_is_wanted_passes(tmp_path: Path) -> None:
    both = Repository(tmp_path, "dist", ".env")
    (both.host / ".gitignore").write_text("lib\ndist\n.env\nout\n")
    write(both.host, lib__tracked="t", lib__other="o", dist__a="a", out__a="a")
    (both.host / ".env").write_text("K=1")
    both.git("add", "-f", "lib/tracked")
    both.keep_all()
    assert both.inner() == {".gitignore", "lib/tracked", "dist/a", ".env"}
    before = both.policies.of(None)
    # Most commands of git write the index, and what is copied is looked at anew only for another reason.
    write(both.host, more="m")
    both.git("add", "more")
    assert both.policies.of(None) is before
    both.git("add", "-f", "out/a")
    assert both.policies.of(None) is not before
    both.keep_all()
    assert {"out/a", "more"} <= both.inner()


@pytest.mark.parametrize("how", ["edited", "added", "removed"])
def test_an_ignore_file_that_changes_is_followed(tmp_path: Path, how: str) -> None:
    both = Repository(tmp_path)
    write(both.host, d__a="a", d__b="b")
    if how != "added":
        (both.host / "d/.gitignore").write_text("a\n")
    both.keep_all()
    assert ("d/a" in both.inner()) is (how == "added")
    write(both.host, d__a="edited")
    if how == "removed":
        (both.host / "d/.gitignore").unlink()
    else:
        (both.host / "d/.gitignore").write_text("b\n" if how == "edited" else "a\n")
    both.keep_all()
    expected = "a" if how == "added" else "edited"
    assert (both.inside / "d/a").read_text() == expected


def test_an_ignore_file_from_inside_counts_before_what_it_ignores(tmp_path: Path) -> None:
    both = Repository(tmp_path)
    both.keep_all()
    # As a tool that makes a project does, at once.
    (both.inside / "app").mkdir()
    (both.inside / "app/.gitignore").write_text("node_modules\n")
    write(both.inside, app__main="m", app__node_modules__dep="d")
    both.keep_all()
    assert (both.host / "app/main").exists()
    assert not (both.host / "app/node_modules").exists()


def test_an_ignore_file_that_is_itself_ignored_changes_nothing_each_time(tmp_path: Path) -> None:
    both = Repository(tmp_path)
    (both.host / ".gitignore").write_text(".gitignore\nx\n")
    write(both.host, x="x", y="y")
    both.keep_all()
    before = both.policies.of(None)
    both.keep_all()
    assert both.policies.of(None) is before
    assert both.inner() == {"y"}


def test_an_ignore_file_that_ignores_itself_is_read_anew(tmp_path: Path) -> None:
    both = Repository(tmp_path)
    write(both.host, cache__a="a", cache__b="b")
    (both.host / "cache/.gitignore").write_text(".gitignore\n")
    both.keep_all()
    (both.host / "cache/.gitignore").write_text(".gitignore\nsecret\n")
    (both.host / "cache/secret").write_text("s")
    both.keep_all()
    assert both.inner() == {"cache/a", "cache/b"}
