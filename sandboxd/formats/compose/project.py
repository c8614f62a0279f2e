"""A Compose project: files merged in their order, `extends` and `include` followed.

What a service says is kept as the parts of each key, in the order in which Compose merges them;
`!reset` and `!override` drop the parts before. Reading the parts is the work of `service`.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.findings import Place
from sandboxd.formats.compose.env import dotenv
from sandboxd.model.container import Unseen
from sandboxd.syntax import yaml
from sandboxd.syntax.substitution import Filled, fill, substitute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node, Tree
    from sandboxd.text import SourceText

MAX_FILES = 50
MAX_EXTENDS = 20
MAX_SERVICES = 500
MAX_PARTS = 50_000
"""The most settings of all services together, those that anchors bring in counted."""
REMOTE = ("http://", "https://", "git://", "ssh://", "oci://", "git@", "github.com/")


class File(NamedTuple):
    """One file of a project. Relative paths in it are taken from `folder`."""

    source: SourceText
    roots: tuple[Node, ...]
    folder: str
    variables: Resolver
    dotenv: Mapping[str, str]

    def text(self, node: Node | None) -> str | None:
        """The text that Compose makes of a scalar; None for anything else."""
        return None if node is None else yaml.scalar_text(node)

    def resolve(self, text: str) -> str:
        """`text` with its known variables replaced; the environment takes precedence over `.env`."""
        return substitute(text, self._lookup)

    def fill(self, text: str) -> Filled:
        """`text` with variables replaced, as Compose starts a program with it.

        :raises ValueError: a required variable is not set, or a dollar sign begins no variable
        """
        return fill(text, self._lookup)

    def public(self, text: str) -> str:
        """`text` with only the defaults filled in, for messages: values of `.env` may be secrets."""
        return substitute(text, lambda _: None)

    def host_path(self, text: str) -> str:
        """The host path that `text`, its variables replaced, names."""
        if not text.startswith(("/", "~", "$", "%", "\\")) and text[1:2] != ":":
            text = posixpath.normpath(posixpath.join(self.folder, text or "."))
        return self.variables.host_path(text)

    def _lookup(self, name: str) -> str | None:
        value = self.variables.environment(name)
        return self.dotenv.get(name) if value is None else value


class Part(NamedTuple):
    """A value as it is written in one file."""

    node: Node
    file: File


class Service(NamedTuple):
    """A service as its files write it.

    `parts` are by key; later ones win or are added.
    """

    name: str
    place: Place
    parts: dict[str, list[Part]]

    def last(self, key: str) -> Part | None:
        parts = self.parts.get(key)
        return parts[-1] if parts else None


class Project:
    """Services by name, the top-level tables by section, and what could not be read."""

    def __init__(self, variables: Resolver) -> None:
        self.variables = variables
        self.services: dict[str, Service] = {}
        sections = ("volumes", "networks", "secrets", "configs")
        self.top: dict[str, dict[str, list[Part]]] = {section: {} for section in sections}
        self.unseen: list[Unseen] = []
        self._read: set[str] = set()
        self._tables: dict[int, dict[str, Node]] = {}
        self._left = MAX_PARTS
        self._opened = 0

    def add_chain(self, first: File, others: list[File]) -> None:
        """Add files that are merged, each over those before it."""
        for file in (first, *others):
            self._read.add(file.source.path)
            for root in file.roots:
                self._add_root(root, file)

    def top_value(self, section: str, name: str, *path: str) -> tuple[Node, File] | None:
        """The last value of an entry of a top-level table, with the file that it stands in."""
        for part in reversed(self.top[section].get(name, ())):
            node = yaml.get(part.node, *path)
            if node is not None and part.file.text(node):
                return node, part.file
        return None

    def take(self, path: str, beside: File | str, folder: str | None = None) -> File | None:
        """The file at `path`, as `open` gives it; None beyond `MAX_FILES`, which is reported once."""
        self._opened += 1
        if self._opened == MAX_FILES + 1:
            self.unseen.append(Unseen("compose", f"names more than {MAX_FILES} files"))
        return self.open(path, beside, folder) if self._opened <= MAX_FILES else None

    def open(self, path: str, beside: File | str, folder: str | None = None) -> File | None:
        """The file at `path`; None when it cannot be read, which is then noted."""
        named_by = beside if isinstance(beside, str) else beside.source.path
        try:
            source = self.variables.read(path, named_by)
        except UnreadableError as error:
            name = posixpath.relpath(path, posixpath.dirname(named_by) or ".")
            self.unseen.append(Unseen("compose", f"`{name}` {error.message}", error.hint))
            return None
        tree = formats.parsed("compose", source, self.variables.files).tree
        return self.file(source, tree, folder, None if isinstance(beside, str) else beside)

    def file(
        self, source: SourceText, tree: Tree, folder: str | None = None, above: File | None = None
    ) -> File:
        """A parsed file of the project.

        `folder` is that of the first file of a chain; `above` lends its `.env`.
        """
        roots = (tree.root, *tree.others) if tree.root is not None else ()
        folder = posixpath.dirname(source.path) if folder is None else folder
        variables = dict(above.dotenv) if above is not None else {}
        if above is None or above.folder != folder:
            variables = {**self._dotenv(f"{folder}/.env", source.path), **variables}
        return File(source, roots, folder, self.variables, variables)

    def _dotenv(self, path: str, beside: str) -> dict[str, str]:
        try:
            return dotenv(self.variables.read(path, beside).text)
        except UnreadableError:
            # Most projects have none. A variable that is not known stays one.
            return {}

    def takes(self) -> bool:
        """Whether one more setting may be read; reaching the limit is noted once."""
        self._left -= 1
        if self._left == 0:
            reason = f"holds more than {MAX_PARTS:,} settings, the rest is not read"
            self.unseen.append(Unseen("compose", reason))
        return self._left > 0

    def _add_root(self, root: Node, file: File) -> None:
        for include in _items(yaml.get(root, "include")):
            self._include(include, file)
        for section, entries in self.top.items():
            table = yaml.get(root, section)
            for key, value in yaml.members(table) if table is not None else ():
                # Keys that only an earlier file sets stay in force.
                parts = entries.setdefault(str(key.value), [])
                if yaml.tag(value) in ("!reset", "!override"):
                    parts.clear()
                parts.append(Part(value, file))
        services = yaml.get(root, "services")
        for key, value in yaml.members(services) if services is not None else ():
            name = str(key.value)
            service = self.services.get(name)
            if service is None and len(self.services) >= MAX_SERVICES:
                reason = f"has more than {MAX_SERVICES} services, the rest is not read"
                self.unseen.append(Unseen("compose", reason))
                break
            if service is None:
                service = Service(name, Place(file.source.path, key.span), {})
                self.services[name] = service
            if yaml.tag(value) in ("!reset", "!override"):
                service.parts.clear()
            self._add_service(service, Part(value, file), ())

    def _add_service(self, service: Service, part: Part, ancestors: tuple[str, ...]) -> None:
        node = yaml.target(part.node)
        if node.kind != "object" or self._left <= 0:
            return
        extends = yaml.get(node, "extends")
        if extends is not None:
            self._extend(service, extends, part.file, ancestors)
        for key, value in yaml.members(node):
            if not self.takes():
                return
            tag = yaml.tag(value)
            parts = service.parts.setdefault(str(key.value), [])
            if tag in ("!reset", "!override"):
                parts.clear()
            if tag != "!reset":
                parts.append(Part(value, part.file))

    def _extend(
        self, service: Service, extends: Node, file: File, ancestors: tuple[str, ...]
    ) -> None:
        name = file.text(extends) or file.text(yaml.get(extends, "service"))
        path = file.text(yaml.get(extends, "file")) if extends.kind == "object" else None
        if name is None:
            return
        other: File | None = file
        if path is not None:
            if file.resolve(path).startswith(REMOTE):
                self._remote(path)
                return
            other = self._other(file.host_path(file.resolve(path)), file)
        if other is None:
            return
        identity = f"{other.source.path}\0{name}"
        if identity in ancestors or len(ancestors) >= MAX_EXTENDS:
            self.unseen.append(Unseen("compose", f"`extends` of `{name}` leads back to itself"))
            return
        # Extended separately: `!reset` of the other service must not drop keys of this one.
        extended = Service(name, service.place, {})
        for root in other.roots:
            base = self._services(root).get(name)
            if base is not None:
                self._add_service(extended, Part(base, other), (*ancestors, identity))
        for key, parts in extended.parts.items():
            service.parts.setdefault(key, []).extend(parts)

    def _services(self, root: Node) -> dict[str, Node]:
        """The services of a file by name; many may extend one of the same file."""
        services = self._tables.get(id(root))
        if services is None:
            table = yaml.get(root, "services")
            members = yaml.members(table) if table is not None else []
            services = {str(key.value): value for key, value in members}
            self._tables[id(root)] = services
        return services

    def _include(self, include: Node, file: File) -> None:
        """Add an included path, or an object with `path` (one or a chain) and `project_directory`."""
        node = yaml.get(include, "path") if include.kind == "object" else include
        paths = [path for item in _items(node) if (path := file.text(item))]
        folder = file.text(yaml.get(include, "project_directory"))
        if folder is not None:
            folder = file.host_path(file.resolve(folder))
        chain: list[File] = []
        for path in paths:
            if file.resolve(path).startswith(REMOTE):
                self._remote(path)
                continue
            full = file.host_path(file.resolve(path))
            folder = folder or posixpath.dirname(full)
            other = None if full in self._read else self._other(full, file, folder)
            if other is not None:
                self._read.add(full)
                chain.append(other)
        if chain:
            self.add_chain(chain[0], chain[1:])

    def _other(self, path: str, file: File, folder: str | None = None) -> File | None:
        if path == file.source.path:
            return file
        return self.take(path, file, folder)

    def _remote(self, path: str) -> None:
        reason = f"`{path}` is fetched from elsewhere when it is used, and not read here"
        self.unseen.append(Unseen("compose", reason))


def needed_services(service: Service) -> Iterator[str]:
    """The services that Compose starts before this one."""
    for key in ("depends_on", "links", "volumes_from"):
        for part in service.parts.get(key, ()):
            node = yaml.target(part.node)
            yield from (str(name.value) for name, _ in yaml.members(node))
            for item in node.items if node.kind == "array" else ():
                yield (part.file.text(item) or "").split(":")[0]
    for key in ("network_mode", "pid", "ipc"):
        last = service.last(key)
        kind, _, name = ((last.file.text(last.node) if last else None) or "").partition(":")
        if kind == "service":
            yield name


def _items(node: Node | None) -> Iterator[Node]:
    """The items of a list, or the one that stands for a list of one."""
    if node is None:
        return
    node = yaml.target(node)
    yield from map(yaml.target, node.items if node.kind == "array" else [node])
