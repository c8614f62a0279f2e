"""Substitutes ``${...}`` variables of devcontainer.json as the dev container CLI does.

A variable whose value is not known stays as it is written: `${localEnv:HOME}` in an editor's buffer means
the home of whoever opens it, and a rule can judge that without knowing the path.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.model.files import Files
    from sandboxd.model.image_facts import ImageFacts
    from sandboxd.text import SourceText

_LONGEST = 32_000


class Variables(NamedTuple):
    """Facts about the place where a config is used; None for unknown.

    `local_env` is the environment of the config's user, `home` that user's home folder. `workspace` is the absolute
    host path of the project; `realpath` follows symbolic links, and is given only where the disk may be read.
    `container_workspace` is the path of the workspace inside; `mounted_at` the path where a plan mounts it whatever
    the config says. `files` reads files that the config names; `images` has what an engine knows of images, by the
    names that configs use.
    """

    local_env: Mapping[str, str] | None = None
    workspace: str | None = None
    home: str | None = None
    realpath: Callable[[str], str] | None = None
    container_workspace: str | None = None
    mounted_at: str | None = None
    files: Files | None = None
    images: Mapping[str, ImageFacts] | None = None

    @classmethod
    def here(cls, environ: Mapping[str, str], files: Files | None = None) -> Variables:
        """The variables for configs of this machine's user, whose environment is `environ`, in one run: each path is
        looked up once.
        """
        return cls(environ, home=environ.get("HOME"), realpath=cache(os.path.realpath), files=files)

    def environment(self, name: str) -> str | None:
        """A variable in the environment of the config's user; None if it is not set or not known."""
        if self.local_env is None:
            return self.home if name == "HOME" else None
        return self.local_env.get(name)

    def image(self, name: str) -> ImageFacts | None:
        """Facts that an engine gave about the image `name`; None if it gave none."""
        return None if self.images is None else self.images.get(name)

    def read(self, path: str, beside: str) -> SourceText:
        """Read the file at `path`, which the file at `beside` names.

        :raises UnreadableError: see `model.files.Files.read`; also where no files may be read
        """
        if self.files is None:
            raise UnreadableError("is not read", "check the whole project")
        return self.files.read(path, beside)

    def for_file(self, path: str) -> Variables:
        """The variables for a devcontainer.json at `path`, with its workspace if that was not known."""
        if self.workspace is not None or not path.startswith("/"):
            return self
        folder = path.rpartition("/")[0]
        # The folder that the innermost `.devcontainer` stands in, however deep the file lies in it.
        above, separator, _ = f"{folder}/".rpartition("/.devcontainer/")
        return self._replace(workspace=(above if separator else folder) or "/")

    def inside(self, workspace: str) -> Variables:
        """The variables for a container in which the workspace, or a folder of it to work in, is at the path
        `workspace`.
        """
        if self.mounted_at is not None and not workspace.startswith(f"{self.mounted_at}/"):
            workspace = self.mounted_at
        return self._replace(container_workspace=workspace)

    def resolve(self, text: str) -> str:
        """`text` with every known variable replaced; there is no nesting.

        A text longer than any real setting is returned unchanged: it may hold very many variables.
        """
        if "${" not in text or len(text) > _LONGEST:
            return text
        # Without `re`: its import takes as long as that of all rules about the file.
        parts: list[str] = []
        at = 0
        while (start := text.find("${", at)) >= 0 and (end := text.find("}", start)) >= 0:
            parts += (text[at:start], self._value(text[start : end + 1]))
            at = end + 1
        return "".join((*parts, text[at:]))

    def host_path(self, text: str) -> str:
        """The host path that `text` means.

        Relative paths are taken from the workspace, where the CLI runs docker. A path below the
        workspace may be a symbolic link out of it that the repository contains; then the result is
        the path that it leads to.
        """
        path = self.resolve(text)
        workspace = self.workspace
        if workspace is None:
            return path
        if path in (".", "..") or path.startswith(("./", "../")):
            path = f"{workspace}/{path}"
        # `realpath` raises ValueError for a path with a NUL byte, which no file can have.
        if (
            self.realpath is None
            or "\0" in path
            or not path.startswith(workspace.rstrip("/") + "/")
        ):
            return path
        real, inside = self.realpath(path), self.realpath(workspace)
        return path if f"{real}/".startswith(inside.rstrip("/") + "/") else real

    def _value(self, written: str) -> str:
        name, *arguments = written[2:-1].split(":")
        value: str | None
        if name in ("localEnv", "env"):
            value = self._environment(arguments)
        elif name == "localWorkspaceFolder":
            value = self.workspace
        elif name == "localWorkspaceFolderBasename":
            value = None if self.workspace is None else _basename(self.workspace)
        elif name == "containerWorkspaceFolder":
            value = self._container_workspace()
        elif name == "containerWorkspaceFolderBasename":
            folder = self._container_workspace()
            value = None if folder is None else _basename(folder)
        else:
            value = None
        return written if value is None else value

    def _environment(self, arguments: list[str]) -> str | None:
        if not arguments or not arguments[0]:
            return None
        name = arguments[0]
        if self.local_env is None:
            return self.home if name == "HOME" else None
        # An empty variable is set: the default is only for one that is not.
        default = arguments[1] if len(arguments) > 1 else ""
        return self.local_env.get(name, default)

    def _container_workspace(self) -> str | None:
        if self.container_workspace is not None:
            return self.container_workspace
        return None if self.workspace is None else f"/workspaces/{_basename(self.workspace)}"


def _basename(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
