"""Imports commits from a sandbox into the host's repository, as refs below `refs/sandboxd`.

Git runs in a temporary repository with only our config, which can read the objects of the host's repository. Every
object is checked. Then we add the valid ones to the host's repository ourselves: first the packs, last the refs that
name them. Nothing is checked out.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.plan import beneath, quiet_git
from sandboxd.plan.linked_worktree import repository_folder
from sandboxd.review import refs

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_WRITTEN = 1 << 30
_MOST_BRANCHES = 500
_HEAD_LINE = re.compile(rb"-?([0-9a-f]{40}|[0-9a-f]{64})( [^\n]*)?\n\Z")

_ERRORS = (*quiet_git.FSCK_ERRORS, "symlinkTargetBlob")
_OURS = "sandboxd/"
_NO_COMMITS = ("worktree", "stash/")
_SPECS = [f"+refs/{kind}/*:refs/new/{kind}/*" for kind in ("heads", "tags", "sandboxd")]
"""Branches and tags, and the refs of ours for the work tree, a detached HEAD and the stash."""
_PACK = re.compile(r"pack-[0-9a-f]{40,64}\.(pack|rev|idx)\Z")
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = true
[fetch]
\tfsckObjects = true
\tunpackLimit = 1
[protocol "file"]
\tallow = always
"""


class CannotBring(EnvironmentFailure):
    """The commits of a bundle cannot be imported; they stay in the saved file."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the commits cannot be brought into the repository: {why}",
            "files can: `sandboxd review --apply`",
        )


class NameTaken(CannotBring):
    """Refs of that name exist already, for other commits."""


def bring(workspace: str, bundle: bytes, below: str) -> list[str]:
    """Import the commits of `bundle` into the workspace's repository; return the refs that name them.

    :param bundle: the bytes of a git bundle
    :param below: the name below `refs/sandboxd` for its refs
    :raises NameTaken: such refs exist already
    :raises CannotBring: the repository is of a kind that is not supported, or the bundle is not valid
    """
    # Of a linked work tree, that of its main one.
    workspace = repository_folder(workspace)
    with _fetched(workspace, bundle) as repository:
        fetched = _fetched_refs(repository)
        try:
            _put_packs(workspace, repository.packs)
            return refs.write(workspace, fetched, below)
        except FileExistsError:
            raise NameTaken(f"`refs/sandboxd/{below}` is there already") from None
        except OSError as error:
            raise CannotBring((error.strerror or str(error)).lower()) from None


def subjects(workspace: str, bundle: bytes, most: int) -> list[str]:
    """For each commit of `bundle` that the host's repository lacks, its id and first line, newest first. Nothing is
    imported.

    :param most: the largest number of commits to name
    :raises CannotBring: as `bring`
    """
    workspace = repository_folder(workspace)
    with _fetched(workspace, bundle) as repository:
        # The work tree of a sandbox is a commit of ours, a stash one of git's.
        fetched = _fetched_refs(repository)
        tips = [oid for name, oid in fetched if not name.startswith(_NO_COMMITS)]
        have = refs.known_commits(workspace)
        words = ("-z", "--no-show-signature", "--format=%h %s", f"--max-count={most}")
        # A subject has any character but NUL and the line end, among them such as Python takes for line ends.
        text = repository.run("log", *words, *tips, "--not", *have) if tips else ""
        return text.removesuffix("\0").split("\0") if text else []


@contextlib.contextmanager
def _fetched(workspace: str, bundle: bytes) -> Iterator[_Repository]:
    """A repository of our own with the sound objects of `bundle`, for the block."""
    git = shutil.which("git")
    if git is None:
        raise CannotBring("this machine has no git")
    _require_plain(workspace)
    needed, sha256 = _header(bundle)
    if sha256 != refs.uses_sha256(workspace):
        raise CannotBring("its ids are of another kind than those of the repository")
    host_commits = refs.known_commits(workspace)
    with tempfile.TemporaryDirectory(prefix="sandboxd-") as scratch:
        _make_repository(scratch, needed, sha256)
        with open(os.path.join(scratch, "bundle"), "wb") as file:
            file.write(bundle)
        repository = _Repository(git, scratch, os.path.join(workspace, ".git", "objects"))
        _require_reachable(repository, needed - set(host_commits), host_commits)
        words = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules")
        repository.run("fetch", *words, "bundle", *_SPECS)
        yield repository


def _require_reachable(repository: _Repository, commits: set[str], host_commits: list[str]) -> None:
    """Check that `commits` are ancestors of refs of the host, so that git does not prune them.

    :raises CannotBring: one is not
    """
    if not commits:
        return
    try:
        beyond = repository.run(
            "rev-list", "--max-count=1", *sorted(commits), "--not", *host_commits
        )
    except CannotBring:
        beyond = "one that is not there"
    if beyond:
        raise CannotBring(f"it builds on {len(commits)} commits that no ref here leads to")


def _fetched_refs(repository: _Repository) -> list[tuple[str, str]]:
    """Name and id of each ref, ours first, so that no branch takes the name of the work tree's ref."""
    form = "--format=%(objectname) %(refname:lstrip=2)"
    pairs = [
        line.split(" ", 1)
        for line in repository.run("for-each-ref", form, "refs/new/").split("\n")
        if line
    ]
    if not pairs:
        raise CannotBring("it names no branch")
    ours = [(name.removeprefix(_OURS), oid) for oid, name in pairs if name.startswith(_OURS)]
    rest = [(name.removeprefix("heads/"), oid) for oid, name in pairs if not name.startswith(_OURS)]
    return [*ours, *rest]


def _require_plain(workspace: str) -> None:
    """Check that the repository can be read and written without its config.

    :raises CannotBring: it cannot
    """
    with beneath.open_folder(workspace) as root:
        for path in (".git", ".git/objects", ".git/objects/pack", ".git/refs"):
            if not _is_folder(root, path):
                raise CannotBring(f"`{path}` is no folder: a worktree, or no repository at all")
        for path in (".git/objects/info/alternates", ".git/reftable", ".git/refs/sandboxd"):
            if _exists(root, path) and not (path.endswith("sandboxd") and _is_folder(root, path)):
                raise CannotBring(f"`{path}` is there, which we do not use")


def _exists(root: int, path: str) -> bool:
    try:
        with beneath.parent_of(root, path, create=False) as folder:
            os.lstat(os.path.basename(path), dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def _is_folder(root: int, path: str) -> bool:
    try:
        with beneath.parent_of(root, path, create=False) as folder:
            return stat.S_ISDIR(os.lstat(os.path.basename(path), dir_fd=folder).st_mode)
    except FileNotFoundError:
        return False


def _header(bundle: bytes) -> tuple[set[str], bool]:
    """The commits that a bundle builds on, and whether its ids are SHA-256.

    :raises CannotBring: it is no bundle
    """
    end = bundle.find(b"\n\n")
    lines = bundle[: end + 1].splitlines(keepends=True)
    if end < 0 or not lines or lines.pop(0) not in (b"# v2 git bundle\n", b"# v3 git bundle\n"):
        raise CannotBring("what the sandbox made is no bundle")
    lines = [line for line in lines if not line.startswith(b"@object-format=")]
    if not all(_HEAD_LINE.match(line) for line in lines):
        raise CannotBring("what the sandbox made is no bundle")
    if sum(line[:1] != b"-" for line in lines) > _MOST_BRANCHES:
        raise CannotBring(f"it names more than {_MOST_BRANCHES} branches")
    needed = {line[1:].split(b" ")[0].strip().decode() for line in lines if line[:1] == b"-"}
    long = any(len(line.lstrip(b"-").split(b" ")[0].strip()) == 64 for line in lines)
    return needed, long


def _make_repository(folder: str, needed: set[str], sha256: bool) -> None:
    for name in ("objects", "objects/pack", "refs"):
        os.mkdir(os.path.join(folder, name))
    config = quiet_git.CONFIG + _CONFIG.format(version=1 if sha256 else 0)
    if sha256:
        config += "[extensions]\n\tobjectformat = sha256\n"
    config += '[fetch "fsck"]\n' + "".join(f"\t{name} = error\n" for name in _ERRORS)
    packed = "".join(f"{oid} refs/have/{oid}\n" for oid in sorted(needed))
    for name, text in (
        ("HEAD", "ref: refs/heads/none\n"),
        ("config", config),
        ("packed-refs", f"# pack-refs with: sorted \n{packed}"),
    ):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)


class _Repository:
    """Git in the repository at `folder`, which reads the objects in `others`, too."""

    def __init__(self, git: str, folder: str, others: str) -> None:
        self._git = git
        self._folder = folder
        self.packs = os.path.join(folder, "objects", "pack")
        self._environ = {
            **quiet_git.environ(folder),
            **quiet_git.alternate(others),
            "GIT_DIR": folder,
        }

    def run(self, *words: str) -> str:
        """The output of a git command.

        :raises CannotBring: it fails, or takes too long
        """
        try:
            process = subprocess.run(
                quiet_git.limited([self._git, *words], _MOST_WRITTEN),
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=quiet_git.SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise CannotBring(f"git did not check them within {quiet_git.SECONDS} s") from None
        if process.returncode:
            errors = " ".join(process.stderr.decode("utf-8", "replace").split())[-300:]
            raise CannotBring(f"git refuses them: {errors or quiet_git.ended(process.returncode)}")
        # Not in Python's text mode, which makes a line end of each CR.
        return process.stdout.decode("utf-8", "replace")


def _put_packs(workspace: str, packs: str) -> None:
    """Copy packs into the workspace's repository; git takes notice of one when its index is there."""
    names = [name for name in os.listdir(packs) if _PACK.match(name)]
    with beneath.open_folder(workspace) as root:
        owner = os.fstat(root)
        for name in sorted(names, key=lambda name: name.endswith(".idx")):
            path = f".git/objects/pack/{name}"
            with beneath.parent_of(root, path, create=False) as folder:
                _copy(os.path.join(packs, name), folder, name, owner)


def _copy(source: str, folder: int, name: str, owner: os.stat_result) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, 0o444, dir_fd=folder)
    except FileExistsError:
        # Its name is its content.
        return
    try:
        with open(descriptor, "wb") as target, open(source, "rb") as file:
            shutil.copyfileobj(file, target)
            target.flush()
            os.fsync(descriptor)
            refs.give(descriptor, owner)
    except BaseException:
        os.unlink(name, dir_fd=folder)
        raise
