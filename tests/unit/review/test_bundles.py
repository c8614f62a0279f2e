"""Commits brought into a repository: no program of its config starts, and no unsound object enters."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest

from sandboxd.review import bundles, refs
from sandboxd.review.bundles import CannotBring

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}


def git(folder: Path, *words: str, data: bytes = b"") -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *words]
    done = subprocess.run(command, env=ENVIRON, input=data, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "host"
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    (root / "a").write_text("a\n")
    git(root, "add", "a")
    git(root, "commit", "-q", "-m", "one")
    return root


@pytest.fixture
def inside(tmp_path: Path, host: Path) -> Path:
    return Path(shutil.copytree(host, tmp_path / "inside"))


def commit(folder: Path, name: str = "b") -> str:
    (folder / name).write_text(name)
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), OSError(28, "No space left")])
def test_a_pack_that_is_copied_in_part_does_not_stay(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: BaseException
) -> None:
    def interrupt(_source: object, target: BinaryIO) -> None:
        target.write(b"PACK")
        raise interruption

    name = f"pack-{'0' * 40}.pack"
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / name).write_bytes(b"PACK and more")
    (host / ".git/objects/pack").mkdir(exist_ok=True)
    monkeypatch.setattr(shutil, "copyfileobj", lambda source, target: interrupt(source, target))
    with pytest.raises(type(interruption)):
        bundles._put_packs(str(host), str(tmp_path / "packs"))
    assert list((host / ".git/objects/pack").iterdir()) == []


def bundle(folder: Path, *words: str) -> bytes:
    path = folder / "made.bundle"
    git(folder, "bundle", "create", "--quiet", str(path), *words)
    return path.read_bytes()


def test_commits_become_refs_and_nothing_else_changes(host: Path, inside: Path) -> None:
    base = git(host, "rev-parse", "HEAD")
    oid = commit(inside)
    git(inside, "branch", "-q", "topic/x")
    config = (host / ".git/config").read_bytes()
    new_refs = bundles.bring(str(host), bundle(inside, "--branches", f"^{base}"), "now")
    assert sorted(new_refs) == ["refs/sandboxd/now/main", "refs/sandboxd/now/topic/x"]
    assert git(host, "rev-parse", "refs/sandboxd/now/main") == oid
    assert git(host, "rev-parse", "HEAD") == base and git(host, "status", "--porcelain") == ""
    assert (host / ".git/config").read_bytes() == config
    git(host, "fsck", "--strict")
    assert oid in refs.known_commits(str(host))


def test_commits_are_named_before_they_are_brought(host: Path, inside: Path) -> None:
    base = git(host, "rev-parse", "HEAD")
    commit(inside)
    git(inside, "commit", "-q", "--allow-empty", "-m", "Mend \x1b[31mit\n\nThe why is below.")
    git(
        inside,
        "update-ref",
        "refs/sandboxd/worktree",
        git(inside, "commit-tree", "-m", "ours", "HEAD^{tree}"),
    )
    packed = bundle(inside, "--branches", "refs/sandboxd/worktree", f"^{base}")
    subjects = bundles.subjects(str(host), packed, 5)
    assert [subject.split(" ", 1)[1] for subject in subjects] == ["Mend \x1b[31mit", "b"]
    assert bundles.subjects(str(host), packed, 1) == subjects[:1]
    assert not (host / ".git/refs/sandboxd").exists(), "nothing was brought"


@pytest.mark.parametrize("end", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_subject_makes_no_second_commit(host: Path, inside: Path, end: str) -> None:
    base = git(host, "rev-parse", "HEAD")
    words = f"Mend it{end}0badc0de Approved by the owner"
    git(inside, "commit", "-q", "--allow-empty", "-m", words)
    (subject,) = bundles.subjects(str(host), bundle(inside, "--branches", f"^{base}"), 5)
    assert subject.endswith("Approved by the owner")


def test_a_branch_whose_name_has_a_line_end_of_unicode_is_one_ref(host: Path, inside: Path) -> None:
    base, oid = git(host, "rev-parse", "HEAD"), commit(inside)
    git(inside, "update-ref", "refs/heads/x\u2028y", oid)
    new_refs = bundles.bring(str(host), bundle(inside, "--branches", f"^{base}"), "now")
    assert sorted(new_refs) == ["refs/sandboxd/now/main", "refs/sandboxd/now/x-y"]


def test_no_program_that_a_hostile_config_names_is_started(
    tmp_path: Path, host: Path, inside: Path
) -> None:
    """Each of these is started by some command of git in such a repository."""
    oid = commit(inside)
    ran = tmp_path / "ran"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\necho $0 $@ >> {ran}\ncat\n")
    evil.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "credential.helper",
        "gpg.program",
        "uploadpack.packObjectsHook",
        "interactive.diffFilter",
        "merge.x.driver",
    ):
        git(host, "config", key, str(evil))
    git(host, "config", "core.hooksPath", str(tmp_path / "hooks"))
    git(host, "config", "protocol.ext.allow", "always")
    git(host, "config", f"url.ext::{evil}.insteadOf", "/")
    git(host, "config", "gc.auto", "1")
    git(host, "config", "commit.gpgSign", "true")
    (tmp_path / "hooks").mkdir()
    for name in ("reference-transaction", "post-checkout", "pre-auto-gc", "post-merge", "update"):
        shutil.copy(evil, tmp_path / "hooks" / name)
    (host / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    (host / ".git/info/attributes").write_text("* filter=x diff=x merge=x\n")
    # The trap works: git itself in this repository walks into it.
    subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(host), "status"],
        env=ENVIRON,
        capture_output=True,
        check=False,
    )
    assert ran.exists()
    ran.unlink()
    new_refs = bundles.bring(str(host), bundle(inside, "--branches"), "now")
    assert (host / ".git" / new_refs[0]).read_text().strip() == oid
    assert not ran.exists()


def tree_with(folder: Path, name: str, mode: str = "100644") -> str:
    """A commit whose tree holds an entry of this name, as no `git add` makes it."""
    blob = git(folder, "hash-object", "-w", "--stdin", data=b"[core]\n\tfsmonitor = evil\n")
    raw = f"{mode} {name}".encode() + b"\0" + bytes.fromhex(blob)
    tree = git(folder, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=raw)
    return git(folder, "commit-tree", tree, "-m", "evil")


@pytest.mark.parametrize("name", [".git", ".GIT", "..", ".", "a/b", "git~1", ".g\u200cit"])
def test_a_tree_that_leads_out_or_into_git_s_folder_is_refused(
    host: Path, inside: Path, name: str
) -> None:
    git(inside, "update-ref", "refs/heads/evil", tree_with(inside, name))
    before = sorted(os.listdir(host / ".git/objects/pack"))
    with pytest.raises(CannotBring, match="git refuses them"):
        bundles.bring(str(host), bundle(inside, "refs/heads/evil"), "now")
    assert sorted(os.listdir(host / ".git/objects/pack")) == before
    assert not (host / ".git/refs/sandboxd").exists()


def test_names_of_refs_cannot_lead_anywhere(host: Path, inside: Path) -> None:
    oid = commit(inside)
    good = bundle(inside, "refs/heads/main")
    for name in (b"refs/heads/../../../config", b"refs/heads/x.lock", b"refs/heads/a..b"):
        evil = good.replace(b" refs/heads/main\n", b" " + name + b"\n", 1)
        try:
            new_refs = bundles.bring(str(host), evil, "now")
        except CannotBring:
            continue
        assert all(ref.startswith("refs/sandboxd/now/") and ".." not in ref for ref in new_refs)
    assert b"[core]" in (host / ".git/config").read_bytes()
    git(inside, "branch", "-q", "-f", "we-ird\u20acname")
    new_refs = bundles.bring(str(host), bundle(inside, "--branches"), "later")
    assert "refs/sandboxd/later/we-ird-name" in new_refs
    assert git(host, "rev-parse", "refs/sandboxd/later/main") == oid


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no bundle",
        b"# v2 git bundle\n\n",
        b"# v2 git bundle\n-zz\n\nPACK",
        b"# v9 git bundle\n\nPACK",
    ],
)
def test_what_is_no_bundle_is_refused(host: Path, data: bytes) -> None:
    with pytest.raises(CannotBring):
        bundles.bring(str(host), data, "now")


def test_a_bundle_that_builds_on_what_is_not_here_is_refused(host: Path, inside: Path) -> None:
    first = commit(inside)
    commit(inside, "c")
    with pytest.raises(CannotBring, match="builds on 1 commits"):
        bundles.bring(str(host), bundle(inside, "main", f"^{first}"), "now")


@pytest.mark.parametrize(
    "path", [".git", ".git/objects", ".git/objects/pack", ".git/refs", ".git/refs/sandboxd"]
)
def test_a_repository_that_leads_elsewhere_is_left_alone(
    tmp_path: Path, host: Path, inside: Path, path: str
) -> None:
    commit(inside)
    data = bundle(inside, "--branches")
    elsewhere = tmp_path / "elsewhere"
    if (host / path).exists():
        (host / path).rename(elsewhere)
    else:
        elsewhere.mkdir()
    (host / path).symlink_to(elsewhere)
    before = sorted(str(p) for p in elsewhere.rglob("*"))
    with pytest.raises(CannotBring):
        bundles.bring(str(host), data, "now")
    assert sorted(str(p) for p in elsewhere.rglob("*")) == before


@pytest.mark.parametrize("path", [".git/objects/info/alternates", ".git/reftable"])
def test_kinds_of_repositories_that_are_not_used(host: Path, inside: Path, path: str) -> None:
    commit(inside)
    (host / path).parent.mkdir(exist_ok=True)
    (host / path).write_text("/nonexistent\n")
    with pytest.raises(CannotBring, match=path.rpartition("/")[2]):
        bundles.bring(str(host), bundle(inside, "--branches"), "now")


def test_commits_are_known_without_following_a_link(tmp_path: Path, host: Path) -> None:
    oid = git(host, "rev-parse", "HEAD")
    secret = tmp_path / "secret"
    secret.write_text("f" * 40)
    (host / ".git/refs/heads/evil").symlink_to(secret)
    (host / ".git/refs/tags").rmdir()
    (host / ".git/refs/tags").symlink_to(tmp_path)
    assert refs.known_commits(str(host)) == [oid]
    git(host, "pack-refs", "--all")
    assert oid in refs.known_commits(str(host))
    assert refs.known_commits(str(tmp_path)) == []
