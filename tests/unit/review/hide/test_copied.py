"""Which files of a workspace go into a copy of it, by its files and git's index as they are on the host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.hiding import Hiding
from sandboxd.review.hide import copied, in_git, reader, words

TOKEN = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
SECRETS = Hiding(secrets=True)


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *words],
        check=True,
        capture_output=True,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "w")
    return tmp_path / "w"


def write(tree: Path, **files: str) -> None:
    for name, text in files.items():
        (tree / name).write_text(text)


def sent(tree: Path, hiding: Hiding) -> set[str]:
    entries = copied.survey(str(tree), hiding).entries
    return {e.path for e in entries if not f"{e.path}/".startswith(".git/")}


def test_what_looks_like_a_secret_stays_and_all_else_that_git_ignores_goes(tree: Path) -> None:
    (tree / ".gitignore").write_text("*\n")
    (tree / "node_modules").mkdir()
    (tree / "package.json").write_text("{}")
    for name in (".env", "build.log", "token.txt", "node_modules/key.js"):
        (tree / name).write_text(f"x = '{TOKEN}'" if "t" in name[:1] or "key" in name else "x")
    expected = {".gitignore", "build.log", "node_modules", "node_modules/key.js", "package.json"}
    assert sent(tree, SECRETS) == expected
    assert sent(tree, Hiding()) == {*expected, ".env", "token.txt"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
def test_a_token_is_found_in_each_encoding(tree: Path, encoding: str) -> None:
    (tree / "a").write_bytes(f"käse {TOKEN}".encode(encoding))
    assert sent(tree, SECRETS) == set()


def test_what_git_tracks_goes_unless_it_is_named(tree: Path) -> None:
    (tree / ".env").write_text("x")
    (tree / "conf").mkdir()
    (tree / "conf" / "id_rsa").write_text("x")
    git(tree, "add", "-f", "-A")
    assert sent(tree, SECRETS) == {".env", "conf", "conf/id_rsa"}
    assert sent(tree, Hiding(hide=("*.ENV", "Conf/"), secrets=True)) == set()
    git(tree, "update-index", "--index-version", "4")
    assert ".env" in sent(tree, SECRETS)


def test_show_brings_what_the_profile_or_the_project_hides_but_not_the_policy(tree: Path) -> None:
    for name in (".env", ".env.test", ".env.prod"):
        (tree / name).write_text("x")
    hiding = Hiding((".env.prod",), (".env.test",), (".env*",), secrets=True)
    assert sent(tree, hiding) == {".env", ".env.test"}


@pytest.mark.parametrize("name", ["a-before", "z-after"])
def test_a_second_name_of_a_hidden_file_is_hidden(tree: Path, name: str) -> None:
    (tree / ".env").write_text("x")
    os.link(tree / ".env", tree / name)
    (tree / "link").symlink_to(".env")
    assert sent(tree, SECRETS) == {"link"}, "a link leads to nothing inside"


def test_of_a_split_index_each_part_counts(tree: Path) -> None:
    (tree / "secrets.json").write_text("x")
    git(tree, "add", "-A")
    git(tree, "update-index", "--split-index")
    (tree / "credentials.json").write_text("x")
    git(tree, "add", "-A")
    assert sent(tree, SECRETS) == {"secrets.json", "credentials.json"}


def test_no_pipe_is_opened_and_no_link_followed(tree: Path, tmp_path: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tmp_path / "out").write_text(TOKEN)
    (tree / "link").symlink_to(tmp_path / "out")
    assert sent(tree, SECRETS) == {"pipe", "link"}


def test_of_very_many_files_the_rest_is_judged_by_name(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_READ", 2)
    for name in "abcd":
        (tree / name).write_text(TOKEN)
    found = copied.survey(str(tree), SECRETS)
    assert (sorted(found.hidden), found.unread) == (["a", "b"], 2)
    assert "2 files were judged by their names alone" in words.of_hidden(found.hidden, 2)


@pytest.mark.parametrize("how", ["commit", "stash", "add", "pack"])
def test_a_secret_in_the_objects_of_git_is_said(tree: Path, how: str) -> None:
    (tree / "x").write_text("x")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "one")
    write(tree, **{".env": "KEY=1\n", "id_rsa": "other\n"})
    git(tree, "add", "-f", ".env")
    if how == "stash":
        git(tree, "stash")
    elif how != "add":
        git(tree, "commit", "-qm", "two")
        git(tree, "rm", "-q", "--cached", ".env")
    if how == "pack":
        git(tree, "gc", "-q")
    write(tree, **{".env": "KEY=1\n"})
    stored = in_git.stored(str(tree), [".env", "id_rsa"])
    assert stored == ((".env",), True)
    assert "withdraw" in words.of_stored(stored)


def test_a_pack_index_that_cannot_be_read_is_said(tree: Path) -> None:
    write(tree, **{".env": "KEY=1\n"})
    (tree / ".git/objects/pack/pack-x.idx").write_bytes(b"\xfftOc\0\0\0\x02short")
    stored = in_git.stored(str(tree), [".env"])
    assert stored == ((), False)
    assert "not all hidden files" in words.of_stored(stored)
