"""Edits that make a config use gVisor, on a host where a trial showed that one of its runtimes works."""

from __future__ import annotations

from sandboxd import formats
from sandboxd.findings import Fix, Replace
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.lsp.documents import OpenDocument
from sandboxd.model.container import Container
from sandboxd.model.document import Document
from sandboxd.plan import generate
from sandboxd.syntax import jsonc_edit, toml_edit, yaml, yaml_edit
from sandboxd.syntax.node import readable
from sandboxd.text import Edit, Span


def offers(
    document: OpenDocument, host: HostFacts, variables: Variables, selection: Span
) -> list[Fix]:
    """A fix for the file, or for each service that `selection` touches; [] if there is no working gVisor runtime.

    There is no fix for containers that use gVisor already, and none for generated files.
    """
    runtime = host.usable_gvisor()
    if runtime is None or generate.is_generated(document.source):
        return []
    parsed = document.parsed
    if document.kind == "sandboxd_toml":
        return _in_config(parsed)
    usable = {
        r.name for r in (host.engine.runtimes if host.engine else ()) if r.usable and r.gvisor
    }
    if document.kind == "compose":
        return _in_services(parsed, usable, runtime.name, selection)
    if document.kind == "devcontainer":
        return _in_devcontainer(parsed, usable, runtime.name, variables)
    return []


def _fix(document: Document, runtime: str, edits: tuple[Edit, ...], where: str = "here") -> Fix:
    return Fix(f"Use gVisor {where} (`{runtime}`)", False, document.source.path, edits)


def _in_config(document: Document) -> list[Fix]:
    root = document.tree.root
    node = root.get("runtime") if root is not None else None
    if document.tree.problems or (node is not None and node.value == "gvisor"):
        return []
    edits = toml_edit.set_value(document.source.text, document.tree, ("runtime",), "gvisor")
    return [_fix(document, "gvisor", edits)]


def _in_services(document: Document, usable: set[str], runtime: str, selection: Span) -> list[Fix]:
    services = yaml.get(document.tree.root, "services")
    text = document.source.text
    fixes: list[Fix] = []
    for key, value in services.members if services is not None else ():
        if value.kind != "object" or not (
            key.span.start <= selection.end and selection.start <= value.span.end
        ):
            continue
        node = yaml.get(value, "runtime")
        if node is not None and str(node.value) in usable:
            continue
        edits = yaml_edit.set_member(text, value, "runtime", yaml_edit.encode(runtime))
        fixes.append(_fix(document, runtime, edits, f"for `{readable(str(key.value), 60)}`"))
    return fixes


def _in_devcontainer(
    document: Document, usable: set[str], runtime: str, variables: Variables
) -> list[Fix]:
    root = document.tree.root
    if root is None or root.kind != "object" or root.get("dockerComposeFile") is not None:
        # `runArgs` counts for nothing there: it is the service that says.
        return []
    for container in containers(document, variables):
        if container.runtime is not None:
            if container.runtime.value in usable:
                return []
            edits = _replace_runtime(document, container, runtime)
            return [_fix(document, runtime, edits)] if edits else []
    text, argument = document.source.text, jsonc_edit.encode(f"--runtime={runtime}")
    node = root.get("runArgs")
    if node is None:
        edits = jsonc_edit.set_member(text, document.tree, root, "runArgs", f"[{argument}]")
    elif node.kind == "array":
        edits = jsonc_edit.append_item(text, document.tree, node, argument)
    else:
        return []
    return [_fix(document, runtime, edits)]


def _replace_runtime(document: Document, container: Container, runtime: str) -> tuple[Edit, ...]:
    change = Replace(container.runtime, runtime)
    return formats.get(document.kind).edits(document, container, (change,)) or ()
