"""Compose files: every service is a container.

A file with one of the default names is judged together with its override file, as
`docker compose` merges them; another one by itself.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.model.container import Container
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.formats.compose.project import Project
    from sandboxd.text import Edit, SourceText

NAME = "compose"
NAMES = ("*.yml", "*.yaml")
LANGUAGES = ("dockercompose", "docker-compose", "yaml.docker-compose")
COMMENT = "#"
WATCHED = ("**/*compose*.{yml,yaml}", "**/.env")
LARGEST = 4 * 1024 * 1024
fits = _defaults.fits
subjects = _defaults.subjects
_BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_NAME = re.compile(r"(?:^|[._-])(?:docker-?)?compose[._-]", re.IGNORECASE)
_ENDINGS = (".yml", ".yaml")
_SERVICES = re.compile(r"^services:[ \t]*(?:#[^\n]*|\r)?\n", re.MULTILINE)
_OF_SERVICE = re.compile(r"^[ \t]+(?:image|build|extends):", re.MULTILINE)
# A Compose file that sandboxd generates for a service: its paths start at another file's folder, so it is judged with
# the devcontainer.json beside it and never by itself.
_A_PART = ".devcontainer/sandboxd/docker-compose.sandboxd.yml"
# Content is only looked at where a Compose file shows what it is.
_LOOKED_AT = 20_000


def matches(path: str) -> bool:
    name = path.rpartition("/")[2]
    is_named = name.lower().endswith(_ENDINGS) and _NAME.search(name) is not None
    return is_named and not path.endswith(_A_PART)


def recognises(path: str, text: str) -> bool:
    """Whether a file of another name is a Compose file: `dockerComposeFile` or `include` may use it."""
    start = text[:_LOOKED_AT]
    services = None if path.endswith(_A_PART) else _SERVICES.search(start)
    return services is not None and _OF_SERVICE.search(start, services.end()) is not None


def parse(source: SourceText) -> Document:
    # Late: a check of a devcontainer.json without Compose does not need it.
    from sandboxd.syntax import yaml

    return Document(NAME, source, yaml.parse(source.text), "yaml")


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """The services of the file, of the files that it includes, and of its override file."""
    project = _standing(document, variables)
    return services(project, document.source.path)


def project_of(paths: Sequence[str], beside: str, variables: Resolver) -> Project:
    """The project of a list of files that `beside` names, each merged over those before it."""
    from sandboxd.formats.compose.project import Project

    project = Project(variables)
    folder = posixpath.dirname(paths[0]) if paths else ""
    opened = [project.take(path, beside, folder) for path in paths]
    files = [file for file in opened if file is not None]
    if files:
        project.add_chain(files[0], files[1:])
    return project


def services(project: Project, document: str) -> tuple[Container, ...]:
    """A container for each service, in the order of the files."""
    from sandboxd.formats.compose.service import container

    containers = [container(service, project, document) for service in project.services.values()]
    if containers:
        containers[0] = containers[0]._replace(unseen=(*project.unseen, *containers[0].unseen))
    elif project.unseen:
        # Without a service there is no other container that could carry what was not read.
        containers = [Container(document, None, unseen=tuple(project.unseen), partial=True)]
    return tuple(containers)


def edits(
    document: Document, subject: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None when this file cannot express one of them."""
    from sandboxd.formats.compose import editing

    return editing.edits(document, subject, changes)


def _standing(document: Document, variables: Resolver) -> Project:
    """The project that a file belongs to, by its name."""
    from sandboxd.formats.compose.project import Project

    project = Project(variables)
    source = document.source
    folder, _, name = source.path.rpartition("/")
    own = project.file(source, document.tree, folder)
    beside = _OVERRIDES if name in _BASES else _BASES if name in _OVERRIDES else ()
    other = None
    for candidate in beside:
        path = f"{folder}/{candidate}"
        if _is_there(path, source.path, variables):
            other = project.open(path, source.path, folder)
            break
    if other is None:
        project.add_chain(own, [])
    elif name in _BASES:
        project.add_chain(own, [other])
    else:
        project.add_chain(other, [own])
    return project


def _is_there(path: str, beside: str, variables: Resolver) -> bool:
    """Whether there is such a file, even if it cannot be read."""
    from sandboxd.errors import MissingFileError, UnreadableError

    try:
        variables.read(path, beside)
    except MissingFileError:
        return False
    except UnreadableError:
        return variables.files is not None
    return True


can = _defaults.by_edits(edits)
