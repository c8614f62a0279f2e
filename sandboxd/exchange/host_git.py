"""Git on the host for an exchange: its own commands on the host's refs and objects, without the host's config.

It runs in a folder of ours that has a config of our own and links to the refs, logs and objects of the repository,
as `git new-workdir` makes one. So no hook, filter, fsmonitor or program that the repository, its work tree or the
user has configured is started, and no file of the work tree is read: there is none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.exchange import copying, seed
from sandboxd.exchange.reftable import is_used
from sandboxd.files import reading
from sandboxd.plan import beneath, quiet_git

if TYPE_CHECKING:
    from sandboxd.exchange.place import Place, Repository

MOST_WRITTEN = 4 << 30
_MOST_OUTPUT = 256 << 20
_MOST_ERRORS = 1 << 16
_WORKTREES = "worktrees"
MOST_WORKTREES = 1_000
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = false
\tuntrackedCache = false
\tsplitIndex = false
\tlogAllRefUpdates = true
\tsparseCheckout = {sparse}
\tsparseCheckoutCone = {cone}
[index]
\tthreads = 1
[user]
\tname = sandboxd
\temail = sandboxd@localhost
{extensions}"""


class CannotRun(EnvironmentFailure):
    """Git on the host does not do what an exchange needs."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"git on the host does not take part in the exchange: {why}",
            "commits stay in the sandbox meanwhile; correct that, then `sandboxd status`",
        )


class HostGit:
    """Runs git on one repository of the host, in the scratch folder `folder`; made by `opened`.

    `place` is the folder of the sandbox's git directory. `is_reftable`: the repository keeps its refs in a reftable
    and not as files. `sha256`: its object ids are SHA-256, else SHA-1.
    """

    def __init__(
        self, git: str, folder: str, repository: Repository, place: Place, form: _Form
    ) -> None:
        self._git = git
        self._owner = copying.owner_of(repository.workspace)
        self._runs_as_owner = self._owner.uid > 0 and _may_enter(repository, self._owner)
        self.folder = folder
        self.repository = repository
        self.place = place
        self.sha256 = form.sha256
        self.is_reftable = form.reftable
        self.git_dir = os.path.join(folder, "git")
        if form.reftable and repository.name:
            # HEAD is no file, but in a reftable of the work tree's own.
            self.git_dir = os.path.join(folder, "git", _WORKTREES, repository.name)
        self.environ = {
            **quiet_git.environ(folder),
            "GIT_DIR": self.git_dir,
            "GIT_WORK_TREE": os.path.join(folder, "none"),
        }

    def run(
        self,
        *words: str,
        data: bytes | IO[bytes] = b"",
        environ: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run a git command and return what it wrote to stdout.

        :param words: the subcommand and its arguments
        :param data: its standard input
        :param environ: variables beside those that every command gets
        :raises CannotRun: it fails, writes too much, or takes too long
        """
        code, output, errors = self.attempt(*words, data=data, environ=environ)
        if code:
            text = " ".join(errors.decode("utf-8", "replace").split())[-300:]
            raise CannotRun(f"`git {words[0]}` ends with: {text or quiet_git.ended(code)}")
        return output

    def attempt(
        self,
        *words: str,
        data: bytes | IO[bytes] = b"",
        environ: Mapping[str, str] | None = None,
        most: int = _MOST_OUTPUT,
    ) -> tuple[int, bytes, bytes]:
        """Run a git command that may fail; returns its exit code, stdout and stderr.

        :param most: the most bytes of each file that it may write, and of its output
        :raises CannotRun: it takes too long, or cannot be started
        """
        options: dict[str, Any] = {"input": data} if isinstance(data, bytes) else {"stdin": data}
        if self._runs_as_owner:
            options |= {"user": self._owner.uid, "group": self._owner.gid, "extra_groups": ()}
        try:
            # Files, which a limit of the kernel holds: of a tree in a few bytes a listing can be endless.
            with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
                process = subprocess.run(
                    quiet_git.limited([self._git, *words], most),
                    cwd=self.folder,
                    env={**self.environ, **(environ or {})},
                    stdout=output,
                    stderr=errors,
                    check=False,
                    timeout=quiet_git.SECONDS,
                    **options,
                )
                output.seek(0)
                errors.seek(0)
                return process.returncode, output.read(), errors.read(_MOST_ERRORS)
        except subprocess.TimeoutExpired:
            raise CannotRun(f"`git {words[0]}` did not end within {quiet_git.SECONDS} s") from None
        except OSError as error:
            raise CannotRun((error.strerror or str(error)).lower()) from None

    def give(self, path: str) -> None:
        """Make the workspace's owner the owner of `path`, where git runs as that user and not as root."""
        if self._runs_as_owner:
            os.chown(path, self._owner.uid, self._owner.gid, follow_symlinks=False)

    def give_open(self, descriptor: int) -> None:
        """As `give`, for an open file."""
        if self._runs_as_owner:
            os.fchown(descriptor, self._owner.uid, self._owner.gid)

    def give_refs(self, names: Iterable[str]) -> None:
        """Make the workspace's owner the owner of the files of these refs, which root wrote. No link is followed."""
        if self._owner.uid <= 0 or self._runs_as_owner:
            return
        paths = {"packed-refs"}
        for name in names:
            for path in (name, f"logs/{name}"):
                parts = path.split("/")
                paths.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        with beneath.open_folder(self.repository.common) as root:
            if self.is_reftable:
                paths.update(f"reftable/{name}" for name in _names(root, "reftable"))
                own = self.repository.name and f"{_WORKTREES}/{self.repository.name}/reftable"
                paths.update(f"{own}/{name}" for name in (_names(root, own) if own else ()))
            for path in sorted(paths):
                _give_of_root(root, path, self._owner)
        with beneath.open_folder(self.repository.own) as root:
            for path in ("logs", "logs/HEAD"):
                _give_of_root(root, path, self._owner)


def _names(root: int, folder: str) -> list[str]:
    with beneath.parent_of(root, f"{folder}/x", create=False) as descriptor:
        return os.listdir(descriptor)


def _give_of_root(root: int, path: str, owner: copying.Owner) -> None:
    with (
        contextlib.suppress(OSError, SandboxdError),
        beneath.parent_of(root, path, create=False) as folder,
    ):
        name = os.path.basename(path)
        status = os.lstat(name, dir_fd=folder)
        if status.st_uid == 0 and (stat.S_ISDIR(status.st_mode) or status.st_nlink == 1):
            os.chown(name, owner.uid, owner.gid, dir_fd=folder, follow_symlinks=False)


def _may_enter(repository: Repository, owner: copying.Owner) -> bool:
    """Whether the owner of a workspace may go to its repository by the path that root goes."""
    folders = {repository.own, repository.common}
    for path in list(folders):
        while path != "/":
            path = os.path.dirname(path)
            folders.add(path)
    for folder in folders:
        status = os.stat(folder)
        of_user, of_group = status.st_uid == owner.uid, status.st_gid == owner.gid
        bit = stat.S_IXUSR if of_user else stat.S_IXGRP if of_group else stat.S_IXOTH
        if not status.st_mode & bit:
            return False
    return True


class _Form:
    """The form of a repository, from its config and files."""

    def __init__(self, repository: Repository) -> None:
        entries = seed.read_config(repository)
        values = {e.name: "true" if e.value is None else e.value for e in entries}
        self.sha256 = values.get("extensions.objectformat", "").lower() == "sha256"
        self.reftable = is_used(entries)
        self.partial = values.get("extensions.partialclone", "")
        self.sparse = seed.is_true(values.get("core.sparsecheckout", ""))
        self.cone = seed.is_true(values.get("core.sparsecheckoutcone", ""))

    def config(self) -> str:
        lines = []
        if self.sha256:
            lines.append("\tobjectformat = sha256\n")
        if self.reftable:
            lines.append("\trefstorage = reftable\n")
        if self.partial:
            lines.append("\tpartialclone = none\n")
        promisor = '[remote "none"]\n\turl = /dev/null\n\tpromisor = true\n' if self.partial else ""
        extensions = f"[extensions]\n{''.join(lines)}{promisor}" if lines else ""
        return quiet_git.CONFIG + _CONFIG.format(
            version=1 if lines else 0,
            sparse=str(self.sparse).lower(),
            cone=str(self.cone).lower(),
            extensions=extensions,
        )


@contextlib.contextmanager
def opened(repository: Repository, place: Place) -> Iterator[HostGit]:
    """Yield git for `repository`; its scratch folder is removed at the end of the block.

    :param place: the folder of the sandbox's git directory; the caller holds its lock
    :raises CannotRun: this machine has no git, or the repository is of a kind that it cannot work on
    :raises OSError: the repository is not there any more
    """
    git = _find_git()
    if not git:
        raise CannotRun("this machine has none")
    form = _Form(repository)
    _require_plain(repository, form.reftable)
    with tempfile.TemporaryDirectory(prefix="sandboxd-") as scratch:
        host = HostGit(git, scratch, repository, place, form)
        try:
            _fill(host, form)
        except OSError as error:
            raise CannotRun((error.strerror or str(error)).lower()) from None
        yield host


def is_installed() -> bool:
    """Whether this machine has git."""
    return bool(_find_git())


def _find_git() -> str:
    """The path of git, '' where this machine has none; that of the system before one of the user's `PATH`."""
    return shutil.which("git", path=os.defpath) or shutil.which("git") or ""


def _fill(host: HostGit, form: _Form) -> None:
    own, common = host.repository.own, host.repository.common
    folder = os.path.join(host.folder, "git")
    for path in ("git", "git/logs", "git/info", "none"):
        os.mkdir(os.path.join(host.folder, path))
    # Root's own: the owner of a workspace must not put a link where root writes.
    os.chmod(host.folder, 0o711)  # noqa: S103 - git passes through as the owner
    names = ["objects", "packed-refs", "shallow", "refs"]
    for name in (*names, *(["reftable"] if form.reftable else ())):
        path = os.path.join(common, name)
        if name != "shallow" or os.path.lexists(path):
            os.symlink(path, os.path.join(folder, name))
    os.symlink(os.path.join(common, "logs", "refs"), os.path.join(folder, "logs", "refs"))
    os.symlink(os.path.join(own, "logs", "HEAD"), os.path.join(folder, "logs", "HEAD"))
    with open(os.path.join(folder, "config"), "w", encoding="utf-8") as file:
        file.write(form.config())
    if form.reftable:
        _add_work_trees(host, folder)
    # Copies: HEAD is written by us alone, see `to_host`.
    for git_dir in {folder, host.git_dir}:
        _copy(os.path.join(own, "HEAD"), os.path.join(git_dir, "HEAD"))
    patterns = os.path.join(own, "info", "sparse-checkout")
    if form.sparse and os.path.isfile(patterns):
        os.makedirs(os.path.join(host.git_dir, "info"), exist_ok=True)
        _copy(patterns, os.path.join(host.git_dir, "info", "sparse-checkout"))
    for name in ("config", "HEAD", "info", "logs", ""):
        host.give(os.path.join(folder, name))
    if host.git_dir != folder:
        host.give(host.git_dir)


def _add_work_trees(host: HostGit, folder: str) -> None:
    """Let git in `folder` know the work trees of the repository, whose HEADs are in reftables of their own."""
    repository = host.repository
    worktrees = os.path.join(repository.common, _WORKTREES)
    names = os.listdir(worktrees) if os.path.isdir(worktrees) else []
    os.mkdir(os.path.join(folder, _WORKTREES))
    for name in names[:MOST_WORKTREES]:
        if name != repository.name and os.path.isdir(os.path.join(worktrees, name, "reftable")):
            os.symlink(os.path.join(worktrees, name), os.path.join(folder, _WORKTREES, name))
    if not repository.name:
        return
    os.mkdir(host.git_dir)
    target = os.path.join(repository.own, "reftable")
    os.symlink(target, os.path.join(host.git_dir, "reftable"))
    for name, text in (("commondir", "../.."), ("gitdir", os.path.join(host.folder, "none/.git"))):
        with open(os.path.join(host.git_dir, name), "w", encoding="utf-8") as file:
            file.write(f"{text}\n")


def _copy(source: str, target: str) -> None:
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with reading(descriptor) as file, open(target, "wb") as copy:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            shutil.copyfileobj(file, copy)


def _require_plain(repository: Repository, reftable: bool) -> None:
    """Check that nothing that git would write through is a link: the workspace may have been hostile at first.

    :raises CannotRun: it is
    :raises OSError: the repository is not there any more
    """
    paths = ["refs", "refs/heads", "refs/tags", "refs/sandboxd", "logs", "logs/refs", "objects"]
    paths += ["objects/pack", "packed-refs", "logs/refs/heads", "logs/refs/tags"]
    paths += ["reftable"] if reftable else []
    own = (repository.own, os.path.join(repository.own, "reftable"))
    for path in (*(os.path.join(repository.common, p) for p in paths), *own):
        if os.path.islink(path):
            raise CannotRun(f"`{path}` is a symbolic link")
    log = os.path.join(repository.own, "logs", "HEAD")
    if os.path.islink(log) or os.path.islink(os.path.dirname(log)):
        raise CannotRun(f"`{log}` is a symbolic link")
    logs = os.path.join(repository.common, "logs")
    for folder in (logs, os.path.join(logs, "refs"), os.path.dirname(log)):
        # No folder above it: nothing is made at the old place of a project that was moved away.
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder)


def is_linked(repository: Repository, names: Sequence[str]) -> list[str]:
    """Those of the refs `names` whose file or log on the host is a link, or lies below one."""
    return [name for name in names if _leads_away(repository.common, name)]


def _leads_away(common: str, name: str) -> bool:
    for top in (common, os.path.join(common, "logs")):
        path = top
        for part in name.split("/"):
            path = os.path.join(path, part)
            if os.path.islink(path):
                return True
    return False
