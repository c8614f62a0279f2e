"""devcontainer.json, as the dev container CLI reads it.

Three layers, in the order in which the CLI hands them to docker: the properties that come before
`runArgs`, `runArgs`, and the properties that are appended after it and so win. What an image's label
and Features add is put between them by `formats.resolved`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _defaults
from sandboxd.formats.devcontainer.reader import Reader, text_of
from sandboxd.model.container import Container
from sandboxd.model.document import Document
from sandboxd.model.values import Value
from sandboxd.syntax import jsonc
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandboxd.findings import Change
    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node
    from sandboxd.text import Edit

NAME = "devcontainer"
NAMES = ("devcontainer.json", ".devcontainer.json")
LANGUAGES: tuple[str, ...] = ()
COMMENT = "//"
WATCHED = ("**/devcontainer.json", "**/.devcontainer.json")
fits = _defaults.fits
recognises = _defaults.recognises
LARGEST = 1024 * 1024


def matches(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def parse(source: SourceText) -> Document:
    return Document(NAME, source, jsonc.parse(source.text))


def containers(document: Document, variables: Resolver) -> tuple[Container, ...]:
    """The layers of the one container, all with the same name: before, of and behind `runArgs`.

    Compose has no `runArgs`, so there are two; () when the file holds no object.
    """
    root = document.tree.root
    if root is None or root.kind != "object":
        return ()
    reader = Reader(document, root, inside(root, variables))
    empty = Container(text_of(root.get("name")) or document.source.path, None)
    if root.get("dockerComposeFile") is None:
        return _for_docker(reader, empty)
    return (reader.before(empty), reader.after(empty))


def inside(root: Node, variables: Resolver) -> Resolver:
    """`variables` with the path of the workspace inside: Compose mounts none by itself."""
    folder = text_of(root.get("workspaceFolder"))
    if folder is None and root.get("dockerComposeFile") is not None:
        folder = "/"
    return variables if folder is None else variables.inside(variables.resolve(folder))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    """The settings and MCP servers that VS Code takes over into the container that it opens."""
    root, path = document.tree.root, document.source.path
    customizations = root.get("customizations") if root is not None else None
    vscode = customizations.get("vscode") if customizations is not None else None
    if vscode is None:
        return
    settings, mcp = vscode.get("settings"), vscode.get("mcp")
    # Late: many configs have none.
    if settings is not None and settings.members:
        from sandboxd.formats import _editor_reader

        editor = _editor_reader.settings(settings, path)
        if editor is not None:
            yield "EditorSettings", editor._replace(is_inside=True)
    servers = mcp.get("servers") if mcp is not None else None
    if servers is not None:
        from sandboxd.formats import _agent_reader

        yield "AgentConfig", _agent_reader.servers_inside(servers, path)


def _for_docker(reader: Reader, empty: Container) -> tuple[Container, ...]:
    before = reader.before_docker(reader.before(empty))
    arguments, after = reader.run_args(empty), reader.after(empty)
    missing = [
        Value(option.value.value, option.origin, option.place, option.written, option.nodes)
        for option in (*arguments.security_opt, *after.security_opt)
        if reader.is_missing(option)
    ]
    if missing:
        after = after._replace(missing_files=tuple(missing))
    return (before, arguments, after)


def edits(
    document: Document, container: Container, changes: Sequence[Change]
) -> tuple[Edit, ...] | None:
    """The edits that make `changes`; None when this file cannot express one of them."""
    # Late: most files that are checked need no fix.
    from sandboxd.formats import _devcontainer_edits

    return _devcontainer_edits.edits(document, container, changes)


def can(document: Document, container: Container, changes: Sequence[Change]) -> bool:
    """Whether `edits` would give edits, found in a fraction of the time."""
    from sandboxd.formats import _devcontainer_changes

    return _devcontainer_changes.can(document, container, changes)
