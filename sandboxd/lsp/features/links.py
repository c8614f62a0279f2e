"""Links and definitions: from a config to the files that it names, and between a config and its output.

A devcontainer.json leads to its Dockerfile, Compose files, service, local Features and seccomp profile; a
Compose file to its Dockerfiles; a sandboxd.toml to its profile and to what is generated from it; a generated
file back to its sandboxd.toml. An official Feature leads to its source."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from lsprotocol import types

from sandboxd import formats
from sandboxd.config.values import profile_names
from sandboxd.data import data_path
from sandboxd.errors import UnreadableError
from sandboxd.files import CONFIG_NAME, in_same_project
from sandboxd.lsp import convert, plans
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import OpenDocument
from sandboxd.plan import generate
from sandboxd.syntax.node import Node, walk
from sandboxd.text import SourceText, Span

_OFFICIAL = re.compile(r"ghcr\.io/devcontainers/features/([a-z0-9-]+)(?:[:@][\w.:-]+)?")
_FEATURES = "https://github.com/devcontainers/features/tree/main/src"
"""Where the sources of the official Features are. References to other registries get no link, as they name only the
artifact, not its source or page.
"""


class Link(NamedTuple):
    """A range of text and the file that it names; `at` is a range in that file, None for the whole file."""

    span: Span
    path: str
    at: Span | None = None


def register(context: Context) -> None:
    links = Links(context)
    context.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK, links.links)
    context.feature(types.TEXT_DOCUMENT_DEFINITION, links.definition)


class Links:
    """Answers `textDocument/documentLink` and `textDocument/definition`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def links(self, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        document = self._context.judgements.document(params.text_document.uri)
        if document is None:
            return []
        encoding = self._context.judgements.client().encoding
        results = [
            types.DocumentLink(
                convert.text_range(link.span, document.source, encoding),
                target=convert.file_uri(link.path),
                tooltip=f"Open {os.path.basename(link.path)}",
            )
            for link in self._all(document)
        ]
        for span, name in _official_features(document):
            place = convert.text_range(span, document.source, encoding)
            results.append(
                types.DocumentLink(place, f"{_FEATURES}/{name}", "Open the Feature's source")
            )
        return results

    def definition(self, params: types.DefinitionParams) -> types.Location | None:
        document = self._context.judgements.document(params.text_document.uri)
        if document is None:
            return None
        at = self._context.offset(document, params.position)
        for link in self._all(document):
            if link.span.start <= at <= link.span.end:
                return self._location(link)
        if os.path.basename(document.source.path) == CONFIG_NAME:
            generated = _generated_file(document.source.path)
            return self._location(Link(Span(0, 0), generated)) if generated else None
        return None

    def _location(self, link: Link) -> types.Location:
        start = types.Position(0, 0)
        place = types.Range(start, start)
        if link.at is not None:
            source = self._read(link.path, link.path)
            if source is not None:
                place = convert.text_range(
                    link.at, source, self._context.judgements.client().encoding
                )
        return types.Location(convert.file_uri(link.path), place)

    def _all(self, document: OpenDocument) -> list[Link]:
        """The links whose files exist.

        One that leads out of the project is left out: what a click opens must not be the repository's choice.
        """
        path = document.source.path
        if not document.on_disk():
            return []
        root = document.parsed.tree.root
        links: list[Link] = []
        if document.kind == "devcontainer":
            links += self._header(document)
            if root is not None:
                links += self._devcontainer(document, root)
        elif document.kind == "compose" and root is not None:
            links += _compose(path, root)
        elif os.path.basename(path) == CONFIG_NAME and root is not None:
            links += _config(root)
        return [
            link
            for link in links
            if os.path.isfile(link.path)
            and (_is_ours(link.path) or in_same_project(link.path, path))
        ]

    def _header(self, document: OpenDocument) -> Iterator[Link]:
        """Links of a generated file to the files it was generated from."""
        workspace = plans.workspace_of(document.source.path)
        if workspace is not None and generate.is_generated(document.source):
            line = document.source.line_text(0)
            yield Link(Span(0, len(line)), os.path.join(workspace, CONFIG_NAME))

    def _devcontainer(self, document: OpenDocument, root: Node) -> Iterator[Link]:
        path = document.source.path
        folder = os.path.dirname(path)
        build = root.get("build")
        context = _text(build.get("context")) if build is not None else None
        for node in (root.get("dockerFile"), build and build.get("dockerfile")):
            if node and (text := _text(node)):
                yield Link(_inner(node), os.path.join(folder, text))
                if context:
                    yield Link(_inner(node), os.path.join(folder, context, text))
        compose = list(_strings(root.get("dockerComposeFile")))
        for node in compose:
            yield Link(_inner(node), os.path.join(folder, str(node.value)))
        service = root.get("service")
        if service is not None and _text(service):
            yield from self._service(folder, service, compose, path)
        features = root.get("features")
        for member in features.members if features is not None else ():
            name = str(member.key.value)
            if name.startswith("./"):
                target = os.path.join(folder, name, "devcontainer-feature.json")
                yield Link(_inner(member.key), target)
        variables = self._context.judgements.linter(document).variables.for_file(path)
        for key in ("securityOpt", "runArgs"):
            for node in _strings(root.get(key)):
                text = variables.resolve(str(node.value))
                value = text.rpartition("seccomp=")[2] if "seccomp=" in text else ""
                if value:
                    base = variables.workspace or folder
                    yield Link(_inner(node), os.path.join(base, value))

    def _service(
        self, folder: str, service: Node, compose: list[Node], beside: str
    ) -> Iterator[Link]:
        for node in compose:
            target = os.path.normpath(os.path.join(folder, str(node.value)))
            root = self._compose_root(target, beside)
            services = root.get("services") if root is not None else None
            member = services.member(str(service.value)) if services is not None else None
            if member is not None:
                yield Link(_inner(service), target, member.key.span)

    def _compose_root(self, path: str, beside: str) -> Node | None:
        source = self._read(path, beside)
        if source is None:
            return None
        return formats.parsed("compose", source, self._context.judgements.parsed_texts).tree.root

    def _read(self, path: str, beside: str) -> SourceText | None:
        try:
            return self._context.judgements.read(path, beside)
        except UnreadableError:
            return None


def _is_ours(path: str) -> bool:
    """Whether a file is shipped with sandboxd."""
    return path.startswith(data_path("profiles") + "/")


def _compose(path: str, root: Node) -> Iterator[Link]:
    folder = os.path.dirname(path)
    services = root.get("services")
    for member in services.members if services is not None else ():
        build = member.value.get("build")
        if build is None:
            continue
        if text := _text(build):
            yield Link(_inner(build), os.path.join(folder, text, "Dockerfile"))
            continue
        context = _text(build.get("context")) or "."
        node = build.get("dockerfile")
        if node is not None and (text := _text(node)):
            yield Link(_inner(node), os.path.join(folder, context, text))
    for node in walk(root):
        text = node.text() or ""
        for mark in ("seccomp:", "seccomp="):
            if text.startswith(mark):
                yield Link(_inner(node), os.path.join(folder, text.removeprefix(mark)))


def _config(root: Node) -> Iterator[Link]:
    profile = root.get("profile")
    name = _text(profile)
    if profile is not None and name in profile_names():
        yield Link(_inner(profile), data_path("profiles", "hardening", f"{name}.toml"))


def _generated_file(path: str) -> str | None:
    """The files generated from the sandboxd.toml at `path`, if they are there."""
    folder = os.path.dirname(path)
    for name in (generate.BESIDE_FILE, generate.MAIN_FILE):
        target = os.path.join(folder, name)
        if os.path.isfile(target):
            return target
    return None


def _official_features(document: OpenDocument) -> Iterator[tuple[Span, str]]:
    """The references to Features whose source has a known address, and their names there."""
    if document.kind != "devcontainer":
        return
    root = document.parsed.tree.root
    features = root.get("features") if root is not None else None
    for member in features.members if features is not None else ():
        match = _OFFICIAL.fullmatch(str(member.key.value))
        if match is not None:
            yield _inner(member.key), match[1]


def _strings(node: Node | None) -> Iterator[Node]:
    if node is not None:
        yield from (item for item in (node, *node.items) if item.text() is not None)


def _text(node: Node | None) -> str | None:
    return node.text() if node is not None else None


def _inner(node: Node) -> Span:
    """The characters of a string without its quotes."""
    text = node.text() or ""
    start, end = node.span
    return Span(start + 1, end - 1) if end - start == len(text) + 2 else node.span
