"""A sandbox's own git directory holds what the host's does, and nothing that git would run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.exchange.copying import Owner
from sandboxd.exchange.place import Repository, repository_of
from sandboxd.exchange.seed import Seed, copy_index, seed, seed_module
from sandboxd.plan.git_modules import find_modules
from tests.unit.exchange.repositories import Inside, git, make_host

_SHOWN = (
    ("log", "--all", "--format=%H %D %s"),
    ("for-each-ref",),
    ("status", "--porcelain=v2", "--branch"),
    ("stash", "list"),
    ("reflog", "--all"),
    ("ls-files", "--stage"),
    ("rev-parse", "--verify", "HEAD"),
)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_git_inside_shows_what_git_on_the_host_shows(
    tmp_path: Path, form: str, packed: bool
) -> None:
    host = make_host(tmp_path / "host", f"--object-format={form}")
    if packed:
        git(host, "gc", "-q")
    inside = Inside(host, tmp_path)
    for words in _SHOWN:
        assert inside.git(*words) == git(host, *words), words
    inside.git("fsck", "--strict")


def test_refs_in_a_reftable_become_files(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host", "--ref-format=reftable")
    git(host, "update-ref", "refs/sandboxd/main/old", "HEAD")
    inside = Inside(host, tmp_path)
    assert "refs/sandboxd" not in inside.git("for-each-ref")
    git(host, "update-ref", "-d", "refs/sandboxd/main/old")
    for words in (("for-each-ref",), ("status", "--porcelain=v2", "--branch")):
        assert inside.git(*words) == git(host, *words)
    assert inside.git("rev-parse", "--show-ref-format") == "files\n"


def test_a_linked_work_tree_has_its_own_head_and_index(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    linked = Path(os.path.realpath(tmp_path)) / "linked"
    git(host, "worktree", "add", "-q", "-b", "other", str(linked), "feature/a")
    (linked / "third").write_text("third\n")
    git(linked, "add", "third")
    inside = Inside(linked, tmp_path)
    assert inside.git("branch", "--show-current") == "other\n"
    for words in (("status", "--porcelain=v2", "--branch"), ("for-each-ref",), ("ls-files",)):
        assert inside.git(*words) == git(linked, *words)
    inside.git("commit", "-q", "-m", "third")
    assert git(linked, "log", "--format=%s") == "one\n"


def test_commits_inside_stay_inside(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    before = git(host, "for-each-ref"), sorted(p.name for p in (host / ".git").rglob("*"))
    inside = Inside(host, tmp_path)
    inside.git("commit", "-q", "-m", "inside")
    inside.git("repack", "-adlq")
    assert inside.git("log", "-1", "--format=%s") == "inside\n"
    assert before == (
        git(host, "for-each-ref"),
        sorted(p.name for p in (host / ".git").rglob("*")),
    )


def test_nothing_that_git_runs_goes_in(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    for key, value in (
        ("core.fsmonitor", "touch /tmp/x"),
        ("core.hooksPath", ".husky"),
        ("alias.st", "!sh"),
        ("include.path", "../more"),
        ("filter.lfs.clean", "sh"),
        ("credential.helper", "store"),
        ("user.token", "secret"),
        ("user.password", "secret"),
        ("http.extraHeader", "Authorization: secret"),
        ("remote.origin.url", "https://ann:secret@example.org/shop.git"),
        ("remote.origin.uploadpack", "sh"),
        ("branch.main.remote", "origin"),
        ("branch.main.description", 'two\nlines "and" \\ more'),
        ("core.autocrlf", "input"),
    ):
        git(host, "config", key, value)
    (host / ".git/hooks/post-checkout").write_text("#!/bin/sh\n")
    inside = Inside(host, tmp_path)
    listed = inside.git("config", "--local", "--null", "--list")
    assert "secret" not in listed and "touch" not in listed
    names = {entry.partition("\n")[0] for entry in listed.split("\0")}
    assert names == {
        "",
        "core.repositoryformatversion",
        "core.bare",
        "core.logallrefupdates",
        "core.filemode",
        "core.autocrlf",
        "remote.origin.url",
        "branch.main.remote",
        "branch.main.description",
    }
    description = inside.git("config", "branch.main.description")
    assert description == 'two\nlines "and" \\ more\n'
    assert not os.path.lexists(os.path.join(inside.place.inside, "hooks"))


@pytest.mark.parametrize("login", ["ann:secret", "ann:a@secret"])
def test_a_login_that_git_noted_in_its_reflogs_stays_outside(tmp_path: Path, login: str) -> None:
    """`git pull URL` is noted with its URL, which may have a token."""
    host, other = make_host(tmp_path / "host"), make_host(tmp_path / "other")
    url = f"https://{login}@example.org/shop.git"
    git(other, "commit", "-q", "--allow-empty", "-m", "more")
    git(host, "-c", f"url.{other}.insteadOf={url}", "pull", "-q", "--rebase", "--autostash", url)
    assert "secret" in git(host, "reflog")
    inside = Inside(host, tmp_path)
    assert inside.git("reflog") == git(host, "reflog").replace(f"{login}@", "")
    logs = Path(inside.place.inside, "logs")
    assert not [log for log in logs.rglob("*") if log.is_file() and b"secret" in log.read_bytes()]


def test_what_a_link_leads_to_stays_outside(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    secret = tmp_path / "secret"
    secret.write_text("0" * 40 + "\n")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "name").write_text("secret")
    for path, target in (
        ("refs/heads/leak", secret),
        ("refs/leak", folder),
        ("logs/refs/heads/leak", secret),
        ("shallow", secret),
        ("info/attributes", secret),
    ):
        (host / ".git" / path).symlink_to(target)
    os.mkfifo(host / ".git/refs/heads/fifo")
    inside = Inside(host, tmp_path)
    names = {str(p.relative_to(inside.place.inside)) for p in Path(inside.place.inside).rglob("*")}
    assert not [name for name in names if "leak" in name or "fifo" in name or "shallow" in name]
    assert not [p for p in Path(inside.place.inside).rglob("*") if p.is_symlink()]


@pytest.mark.parametrize("name", ["index", "packed-refs"])
def test_a_link_in_the_place_of_what_work_needs_is_refused(tmp_path: Path, name: str) -> None:
    host = make_host(tmp_path / "host")
    git(host, "pack-refs", "--all")
    (host / ".git" / name).rename(tmp_path / "elsewhere")
    (host / ".git" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EnvironmentFailure, match=name):
        Inside(host, tmp_path)
    assert not list((tmp_path / "state").rglob("inside*"))


def test_one_that_is_there_stays(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    first = Inside(host, tmp_path)
    first.git("commit", "-q", "-m", "inside")
    second = Inside(host, tmp_path)
    assert first.is_new and not second.is_new
    assert second.git("log", "-1", "--format=%s") == "inside\n"


def test_a_link_inside_is_not_written_through(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    inside = Inside(host, tmp_path)
    objects = Path(inside.place.inside, "objects")
    outside = tmp_path / "outside"
    objects.rename(outside)
    objects.symlink_to(outside)
    with pytest.raises(EnvironmentFailure, match="a symbolic link or no folder"):
        seed(inside.repository, inside.place, Seed(["/elsewhere"]))
    assert "/elsewhere" not in (outside / "info/alternates").read_text()


def test_an_index_keeps_its_time_so_that_git_reads_what_it_must(tmp_path: Path) -> None:
    """With a later time an entry that changed in the second of the index would count as clean."""
    host = make_host(tmp_path / "host")
    inside = Inside(host, tmp_path)
    (host / "more").write_text("more\n")
    git(host, "add", "more")
    assert copy_index(inside.repository, inside.place.inside, Owner())
    assert inside.git("ls-files") == "file\nmore\nnew\n"
    one, two = (os.stat(f"{folder}/index") for folder in (host / ".git", inside.place.inside))
    assert one.st_mtime_ns == two.st_mtime_ns and one.st_ino != two.st_ino


@pytest.mark.parametrize("part", ["HEAD", "objects", "refs", ""])
def test_a_repository_that_a_link_leads_to_is_none(tmp_path: Path, part: str) -> None:
    host = make_host(tmp_path / "host")
    path = host / ".git" / part
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert repository_of(str(host)) is None


@pytest.mark.parametrize(("text", "counts"), [(".\n", True), ("../..", False), ("x" * 99, False)])
def test_a_repository_that_names_another_is_none(tmp_path: Path, text: str, counts: bool) -> None:
    host = make_host(tmp_path / "host")
    (host / ".git/commondir").write_text(text)
    assert (repository_of(str(host)) is not None) == counts


def test_a_submodule_has_a_directory_of_its_own(tmp_path: Path) -> None:
    other = make_host(tmp_path / "other")
    host = make_host(tmp_path / "host")
    git(host, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "a/lib")
    modules = find_modules(str(host), str(host / ".git"))
    assert [(m.path, m.worktree) for m in modules.modules] == [("modules/a/lib", "a/lib")]
    inside = Inside(host, tmp_path)
    worktree = str(inside.folder / "a/lib")
    for is_new in (True, False):
        module = Repository(str(host), modules.modules[0].common, modules.modules[0].common)
        wanted = Seed([modules.modules[0].objects.path], worktree=worktree)
        assert seed_module(module, inside.place, "modules/a/lib", wanted) == is_new
    folder = os.path.join(inside.place.inside, "modules/a/lib")
    assert git(Path(worktree), "log", "--format=%s", GIT_DIR=folder) == "two\none\n"
    assert git(Path(worktree), "status", "--porcelain", GIT_DIR=folder) == ""


def test_a_submodule_is_not_made_behind_a_link(tmp_path: Path) -> None:
    host = make_host(tmp_path / "host")
    inside = Inside(host, tmp_path)
    (tmp_path / "outside").mkdir()
    Path(inside.place.inside, "modules").symlink_to(tmp_path / "outside")
    with pytest.raises(EnvironmentFailure, match="not as it was made"):
        seed_module(inside.repository, inside.place, "modules/lib", Seed(["/x"]))
    assert list((tmp_path / "outside").iterdir()) == []
