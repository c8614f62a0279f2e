"""The files of a workspace that a build reads, as bytes in memory."""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator
from typing import NamedTuple

from sandboxd.errors import UnreadableError, UsageError
from sandboxd.files import decode, reading
from sandboxd.formats import dockerfile as dockerfiles
from sandboxd.model.image import image
from sandboxd.plan import beneath
from sandboxd.syntax.dockerfile import Instruction
from sandboxd.text import SourceText

MOST_FILES = 4000
MOST_BYTES = 64 << 20

# Characters that `COPY` reads as a pattern or a variable.
_PATTERN = re.compile(r"[*?\[\]$\\]")


class Part(NamedTuple):
    """A file of a build, or a symbolic link, of which `data` is the target; `path` is within the workspace."""

    path: str
    mode: int
    data: bytes


class Reader:
    """Reads files below a workspace, each once, and keeps them."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._parts: dict[str, Part] = {}
        self._bytes = 0

    def parts(self) -> tuple[Part, ...]:
        """The files that were read, sorted by path."""
        return tuple(self._parts[path] for path in sorted(self._parts))

    def read(self, path: str, links: bool = True, optional: bool = False) -> bytes:
        """Read and keep the file at `path` and return its content; of a folder, everything below it is kept and b""
        returned.

        No folder on the path may be a symbolic link, since the copy that is built would be written through it.

        :param links: whether `path` may be, or contain, symbolic links
        :param optional: whether a missing file gives b"" instead of an error
        :raises UsageError: it does not exist, is outside of the workspace, or is too large
        """
        if "\0" in path or path.startswith("/") or ".." in path.split("/"):
            raise UsageError(
                f"the build reads `{path}`, which lies outside of the workspace",
                'correct it, or name an image: `image = "..."` in sandboxd.toml',
            )
        try:
            with (
                beneath.open_folder(self._workspace) as root,
                beneath.parent_of(root, path, create=False) as folder,
            ):
                mode = os.lstat(posixpath.basename(path), dir_fd=folder).st_mode
                if not stat.S_ISDIR(mode):
                    return self._keep(path, folder, mode, links)
        except OSError as error:
            if optional:
                return b""
            raise _unreadable(path, error) from None
        for below in self._walk(path):
            self.read(below, links)
        return b""

    def _keep(self, path: str, folder: int, mode: int, links: bool) -> bytes:
        """Keep the entries of the open `folder`: nobody can exchange it meanwhile."""
        if path in self._parts:
            return self._parts[path].data
        name = posixpath.basename(path)
        if stat.S_ISLNK(mode):
            if not links:
                raise UsageError(
                    f"`{path}` is a symbolic link, and a build tool could follow it out of the workspace",
                    "replace it by a regular file",
                )
            data = os.fsencode(os.readlink(name, dir_fd=folder))
        elif stat.S_ISREG(mode):
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
            with reading(os.open(name, flags, dir_fd=folder)) as file:
                data = file.read(MOST_BYTES + 1)
        else:
            return b""
        self._parts[path] = Part(path, mode & (0o777 | stat.S_IFMT(mode)), data)
        self._bytes += len(data)
        if len(self._parts) > MOST_FILES or self._bytes > MOST_BYTES:
            raise _too_much(path)
        return data

    def _walk(self, path: str) -> Iterator[str]:
        """Yield the paths of all files below a folder but `.git`: with it no grant would outlive a commit."""
        top = os.path.join(self._workspace, path)
        for folder, folders, files in os.walk(top):
            here = posixpath.join(path, os.path.relpath(folder, top))
            linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            folders[:] = [name for name in folders if name != ".git"]
            for name in (*linked, *files):
                if name != ".git":
                    yield posixpath.normpath(posixpath.join(here, name))


def read_context(reader: Reader, dockerfile: str, context: str) -> None:
    """Read the Dockerfile and the files that it copies from its context.

    :raises UsageError: as `Reader.read`; also if the Dockerfile is a symbolic link
    """
    try:
        text = decode(reader.read(dockerfile, links=False))
    except UnreadableError as error:
        raise UsageError(f"`{dockerfile}` {error.message}", error.hint) from None
    for ignore in (f"{dockerfile}.dockerignore", posixpath.join(context, ".dockerignore")):
        reader.read(posixpath.normpath(ignore), optional=True)
    document = dockerfiles.parse(SourceText(dockerfile, text))
    for instruction in image(document).instructions("COPY", "ADD", "RUN"):
        for source in _sources(instruction):
            # A build says itself, and better, that a file is not there.
            path = posixpath.normpath(posixpath.join(context, source.lstrip("/")))
            reader.read(path, optional=True)


def _sources(instruction: Instruction) -> Iterator[str]:
    """The paths in the context that an instruction reads; ``.`` where that cannot be determined."""
    if instruction.keyword == "RUN":
        for _, mount in instruction.flag("mount"):
            options = dict(option.partition("=")[::2] for option in mount.split(","))
            if options.get("type", "bind") == "bind" and "from" not in options:
                yield _plain(options.get("source") or options.get("src") or ".")
        return
    if any(instruction.flag("from")):
        return
    words = instruction.json() or [word.value for word in instruction.words()]
    for word in words[:-1]:
        if not word.startswith("<<") and "://" not in word and not word.startswith("git@"):
            yield _plain(word)


def _plain(source: str) -> str:
    """A source as a path; ``.``, all of the context, for a pattern or a path that leads out of it."""
    escapes = ".." in source.split("/")
    return "." if escapes or _PATTERN.search(source) else source


def _unreadable(path: str, error: OSError) -> UsageError:
    what = (error.strerror or str(error)).lower()
    return UsageError(
        f"the build needs `{path}`: {what}",
        'correct it, or name an image: `image = "..."` in sandboxd.toml',
    )


def _too_much(path: str) -> UsageError:
    return UsageError(
        f"the build reads more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB of the workspace "
        f"(last `{path}`), which nobody can look at before trusting it",
        "copy less in the Dockerfile: `COPY requirements.txt ./` instead of `COPY . .`",
    )
