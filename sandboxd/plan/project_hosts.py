"""The hosts and images that a project's files name, read with bounds and without following a link.

The repository may name what it likes: it can select shipped groups of hosts, and any other host is only proposed to the
user (`plan.names`).
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandboxd.egress.names import NotAName, normal
from sandboxd.egress.ports import port_number
from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath

_MOST_BYTES = 64 * 1024
_MOST_FILES = 12
_MOST_HOSTS = 20

GIT_CONFIG = ".git/config"
# Where package managers are told of indexes and registries of their own.
_SETTINGS = (
    ".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf", "requirements.txt", "Pipfile", "uv.toml",
    "pyproject.toml", ".cargo/config.toml", "nuget.config", "NuGet.config", "NuGet.Config",
    "Gemfile", ".condarc", ".gitmodules",
)  # fmt: skip
_INDEX = re.compile(
    r"^.*(?:registry|index|source|url|channel|feed|add key|find-links).*$",
    re.IGNORECASE | re.MULTILINE,
)
_URL = re.compile(
    r"\bhttps?://(?:[^\s/@\"']*@)?([A-Za-z0-9._-]+)(?::(\d{1,5}))?(?=[/\s\"'?#,;)]|$)"
)
# What may repeat gives nothing back: a file of blank lines took the daemon's other threads away for a minute.
_REMOTE = re.compile(r"^[^\S\n]*+(?:push)?url\s*+=\s*+\"?([^\s\"]+)", re.IGNORECASE | re.MULTILINE)
_SSH = re.compile(r"(?:[^@/\s]+@)?([A-Za-z0-9._-]+):(?!//)")
_SSH_URL = re.compile(r"(?:ssh|git\+ssh)://(?:[^@/\s]+@)?([A-Za-z0-9._-]+)(?::(\d{1,5}))?/")
_FROM = re.compile(r"^[^\S\n]*+FROM\s++(?:--\S++\s++)*+(\S{1,300})", re.IGNORECASE | re.MULTILINE)
_DEV_CONTAINER = (".devcontainer/devcontainer.json", ".devcontainer.json")
_IMAGE = re.compile(r"\"image\"\s*:\s*\"([^\"\s]{1,300})\"")
_DOCKERFILE = re.compile(r"(?:^|/)(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.Dockerfile$")


class Mention(NamedTuple):
    """A host and port that a file names."""

    host: str
    port: int
    file: str


class Mirror(NamedTuple):
    """A host that settings of this user's package managers name, for projects that use the group `group`.

    `variable` is the environment variable by which the package manager is told of it; '' if there is none.
    """

    group: str
    mention: Mention
    variable: str = ""


class ProjectHosts(NamedTuple):
    """The hosts that a project's files name.

    `names` are paths of files and folders at the top and one level down; `images` are those in Dockerfiles and in the
    devcontainer.json.
    """

    names: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    remotes: tuple[Mention, ...] = ()
    """Hosts of Git remotes."""
    settings: tuple[Mention, ...] = ()
    """Hosts in settings of package managers, and of submodules."""
    chosen: tuple[str, ...] | None = None
    """The groups that the files selected when the sandbox started; None: the present files select them."""
    is_cut: bool = False
    """Whether there are more names than were looked at."""
    mirrors: tuple[Mirror, ...] = ()


NO_HOSTS = ProjectHosts()


def project_hosts(workspace: str, names: Iterable[str], is_cut: bool = False) -> ProjectHosts:
    """The hosts and images that the files of `workspace` name; a file that cannot be read counts as naming none.

    :param names: files and folders at the top and one level down, relative to the workspace
    :param is_cut: whether there are more of them
    """
    near = tuple(names)
    present = frozenset(near)
    dockerfiles = [name for name in near if _DOCKERFILE.search(name)][:_MOST_FILES]
    settings = [name for name in _SETTINGS if name in present]
    with contextlib.ExitStack() as stack:
        try:
            root = stack.enter_context(beneath.open_folder(workspace))
        except SandboxdError:
            return ProjectHosts(near, is_cut=is_cut)
        images = [image for name in dockerfiles for image in _FROM.findall(_text(root, name))]
        images += [image for name in _DEV_CONTAINER for image in _IMAGE.findall(_text(root, name))]
        remotes = _remotes(_text(root, GIT_CONFIG))
        of_settings = [each for name in settings for each in mentions(_text(root, name), name)]
    return ProjectHosts(
        near,
        tuple(dict.fromkeys(images)),
        tuple(dict.fromkeys(remotes))[:_MOST_HOSTS],
        tuple(dict.fromkeys(of_settings))[:_MOST_HOSTS],
        is_cut=is_cut,
    )


def _text(root: int, path: str) -> str:
    """The beginning of a regular file below `root`, '' where there is none."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with beneath.parent_of(root, path, create=False) as folder:
            descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
    except (OSError, SandboxdError):
        return ""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.read(descriptor, _MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def _remotes(text: str) -> Iterator[Mention]:
    for url in _REMOTE.findall(text):
        if match := _URL.match(url):
            yield from _mention(match[1], match[2] or _usual(url), GIT_CONFIG)
        elif match := _SSH_URL.match(url):
            yield from _mention(match[1], match[2] or "22", GIT_CONFIG)
        elif match := _SSH.match(url):
            yield from _mention(match[1], "22", GIT_CONFIG)


def mentions(text: str, file: str, lines: re.Pattern[str] = _INDEX) -> Iterator[Mention]:
    """The hosts of the URLs in those `lines` of a file's text: without others, in the lines that speak of an index.

    A URL of a home page is none that a tool asks. No login of a URL is taken over.
    """
    for line in lines.findall(text):
        for match in _URL.finditer(line):
            yield from _mention(match[1], match[2] or _usual(match[0]), file)


def _usual(url: str) -> str:
    return "443" if url.startswith("https") else "80"


def _mention(host: str, port: str, file: str) -> Iterator[Mention]:
    """The host in its one spelling; what is no name, or has no dot, names nothing."""
    with contextlib.suppress(NotAName):
        name, number = normal(host), port_number(port)
        if "." in name and number is not None:
            yield Mention(name, number, file)
