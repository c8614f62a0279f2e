"""Asks git about a private copy, inside its sandbox: the paths that it ignores, and the commits that the host lacks.

Only the standard library, Python 3.8 or newer: a part of the program of `changes_inside`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from typing import Any

WORKTREE = "refs/sandboxd/worktree"
HEAD = "refs/sandboxd/head"
STASH = "refs/sandboxd/stash"


def ignored_names(copy: bytes, markers_by_folder: dict[str, list[str]]) -> set[bytes]:
    """Names of folders that tools fill, and of paths that git ignores, where git is installed."""
    names = set()
    for name, markers in markers_by_folder.items():
        if any(os.path.exists(os.path.join(copy, os.fsencode(marker))) for marker in markers):
            names.add(os.fsencode(name))
    with contextlib.suppress(OSError):
        words = ("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
        process = git(copy, *words)
        if process.returncode == 0:
            names |= {name.rstrip(b"/") for name in process.stdout.split(b"\0") if name}
    return names


def git(copy: bytes, *words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run git on the copy. It runs in the sandbox with the sandbox's config, so it is not trusted."""
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    command: list[Any] = ["git", "-c", "safe.directory=*", "-C", copy, *words]
    options.update(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process: subprocess.CompletedProcess[bytes] = subprocess.run(command, check=False, **options)
    return process


def bundle_of(task: dict[str, Any], source: bytes, copy: bytes, changed: bool) -> tuple[bytes, str]:
    """A bundle of the commits that the host lacks, with a changed work tree as one more commit; or why there is none.

    Commits of branches, new tags, a HEAD on no branch and the stash: all that git itself would keep. b"" and ""
    where there is nothing to bundle.
    """
    try:
        if git(copy, "rev-parse", "--git-dir").returncode:
            return b"", ""
        query = "".join(oid + "\n" for oid in task["have"]).encode()
        answer = git(copy, "cat-file", "--batch-check", input=query).stdout.decode().splitlines()
        have = [line.split()[0] for line in answer if line.split()[1:2] in (["commit"], ["tag"])]
        with tempfile.TemporaryDirectory() as scratch:
            words = ["bundle", "create", "--quiet", "-"]
            listed = git(copy, "for-each-ref", "refs/heads/", "refs/tags/")
            if listed.returncode:
                return b"", "its branches cannot be listed: " + errors_of(listed)
            if changed and worktree(copy, os.path.join(scratch, "index")):
                words.append(WORKTREE)
            names = [*branches(copy), *loose_ends(source, copy)]
            asked_for = "".join(f"{line}\n" for line in [*names, *("^" + oid for oid in have)])
            text = asked_for.encode("utf-8", "surrogateescape")
            bundle = git(copy, *words, "--stdin", input=text)
    except OSError as error:
        return b"", "" if getattr(error, "filename", None) == "git" else str(error)
    if b"empty bundle" in bundle.stderr:
        return b"", ""
    if bundle.returncode == 0 and len(bundle.stdout) <= task["largest_bundle"]:
        return bundle.stdout, ""
    # The work tree is in the stream already, so only commits would be lost.
    counted = git(copy, "rev-list", "--count", "--stdin", input=text)
    if counted.returncode == 0 and counted.stdout.strip() == b"0":
        return b"", ""
    if bundle.returncode:
        return b"", errors_of(bundle)
    return b"", f"the commits are larger than {task['largest_bundle'] >> 20} MiB"


def branches(copy: bytes) -> list[str]:
    """The full names of all branches: `--branches` skips one that shares its name with a tag or stash."""
    return lines_of(copy, "for-each-ref", "--format=%(refname)", "refs/heads/")


def loose_ends(source: bytes, copy: bytes) -> list[str]:
    """Refs for tags, a detached HEAD and stashed changes that the original does not have.

    The stash and such a HEAD get refs of ours; a bundle takes what a ref names.
    """
    words = ("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags/")
    originals = set(lines_of(source, *words))
    names = [line.split(" ", 1)[1] for line in lines_of(copy, *words) if line not in originals]
    on_no_branch = git(copy, "symbolic-ref", "--quiet", "HEAD").returncode != 0
    if on_no_branch and git(copy, "update-ref", HEAD, "HEAD").returncode == 0:
        names.append(HEAD)
    stashed = ("log", "--walk-reflogs", "--format=%H", "refs/stash", "--")
    originals = set(lines_of(source, *stashed))
    for number, oid in enumerate(lines_of(copy, *stashed)):
        name = f"{STASH}/{number}"
        if oid not in originals and git(copy, "update-ref", name, oid).returncode == 0:
            names.append(name)
    return names


def lines_of(folder: bytes, *words: str) -> list[str]:
    """The output lines of git in `folder`, [] if it fails."""
    run = git(folder, *words)
    # Not at what Python takes for line ends besides: a ref's name may have some of them.
    text = "" if run.returncode else run.stdout.decode("utf-8", "surrogateescape")
    return [line for line in text.split("\n") if line]


def errors_of(run: subprocess.CompletedProcess[bytes]) -> str:
    """The end of what git wrote to stderr; at least the name of its command."""
    text = run.stderr.decode("utf-8", "replace").strip()[-300:]
    return text or "a command of git failed without a word"


def worktree(copy: bytes, index: str) -> bool:
    """Commit uncommitted changes on top of HEAD, with equal ids for equal content.

    False where there is nothing.
    """
    environ = dict(os.environ, GIT_INDEX_FILE=index)
    for who in ("AUTHOR", "COMMITTER"):
        environ[f"GIT_{who}_NAME"] = "sandboxd"
        environ[f"GIT_{who}_EMAIL"] = "sandboxd@localhost"
        environ[f"GIT_{who}_DATE"] = "2000-01-01T00:00:00Z"
    head = git(copy, "rev-parse", "--verify", "--quiet", "HEAD").stdout.decode().strip()
    if head:
        git(copy, "read-tree", head, env=environ)
    git(copy, "add", "-A", env=environ)
    tree = git(copy, "write-tree", env=environ).stdout.decode().strip()
    of_head = git(copy, "rev-parse", "--verify", "--quiet", "HEAD^{tree}").stdout.decode().strip()
    if not tree or tree == of_head:
        return False
    words = ["commit-tree", tree, "-m", "the work tree of a sandbox"]
    process = git(copy, *words, *(["-p", head] if head else []), env=environ)
    commit = process.stdout.decode().strip()
    return bool(commit) and git(copy, "update-ref", WORKTREE, commit).returncode == 0
