"""Mounts of a service: `volumes` short and long, `tmpfs`, `secrets` and `configs` from files."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.formats import _mounts
from sandboxd.formats.compose.values import boolean, locate, part_of
from sandboxd.model.container import Mount
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.formats import Resolver
    from sandboxd.formats.compose.project import File, Part, Project, Service
    from sandboxd.model.container import MountType
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node

_TYPES: dict[str, MountType] = {"bind": "bind", "volume": "volume", "tmpfs": "tmpfs"}


class _Paths:
    """Paths of a mount as Compose reads them, for `_mounts`: variables are replaced already."""

    def __init__(self, file: File) -> None:
        self.file = file

    def resolve(self, text: str) -> str:
        return text

    def host_path(self, text: str) -> str:
        return self.file.host_path(text)


class Mounts:
    """Reads the mounts of one service; of a target the last one counts."""

    def __init__(self, service: Service, project: Project, document: str) -> None:
        self.service = service
        self.project = project
        self.document = document

    def read(self) -> Iterator[Value[Mount]]:
        by_target: dict[object, Value[Mount]] = {}
        for node, part in self.nodes("volumes"):
            mount = self.short(node, part) if part.file.text(node) else self.long(node, part)
            if mount is not None:
                target = posixpath.normpath(mount.value.target) if mount.value.target else ""
                mount = mount._replace(value=mount.value._replace(target=target))
                by_target.pop(target, None)
                by_target[target or id(mount)] = mount
        yield from by_target.values()
        for node, part in self.nodes("tmpfs"):
            text = part.file.text(node)
            if text:
                written = _mounts.from_tmpfs(part.file.resolve(text), self.paths(part))
                yield locate(written.mount, node, part, "tmpfs", self.document)
        for section in ("secrets", "configs"):
            yield from self.files(section)

    def watched(self) -> Iterator[Value[Mount]]:
        """The paths that `develop.watch` copies inside; the action `rebuild` copies nothing."""
        for part in self.service.parts.get("develop", ()):
            table = yaml.get(part.node, "watch")
            for item in table.items if table is not None else ():
                action, path, target = (
                    part.file.resolve(part.file.text(yaml.get(item, key)) or "")
                    for key in ("action", "path", "target")
                )
                path_node = yaml.get(item, "path")
                if path_node is None or not path or not action.startswith("sync"):
                    continue
                mount = Mount("bind", part.file.host_path(path), target, True)
                yield locate(mount, path_node, part, "develop", self.document)

    def nodes(self, key: str) -> Iterator[tuple[Node, Part]]:
        for part in self.service.parts.get(key, ()):
            node = yaml.target(part.node)
            for item in node.items if node.kind == "array" else [part.node]:
                if self.project.takes():
                    yield item, part

    def paths(self, part: Part) -> Resolver:
        return _Paths(part.file)  # type: ignore[return-value]

    def short(self, node: Node, part: Part) -> Value[Mount]:
        text = part.file.text(node) or ""
        written = _mounts.from_volume(part.file.resolve(text), self.paths(part))
        as_typed = _mounts.from_volume(text, self.paths(part))
        span = part_of(node, part.file.source.text, as_typed.start, as_typed.end)
        if written.mount.type == "volume":
            hidden = self.bind_of_volume(written.mount, node, part)
            if hidden is not None:
                return hidden
        return locate(written.mount, node, part, "volumes", self.document, span)

    def long(self, node: Node, part: Part) -> Value[Mount] | None:
        if yaml.target(node).kind != "object":
            return None

        def text(*path: str) -> str:
            return part.file.resolve(part.file.text(yaml.get(node, *path)) or "")

        kind = _TYPES.get(text("type") or "volume", "other")
        source = text("source")
        host = part.file.host_path(source) if kind == "bind" and source else source
        options = []
        if text("bind", "propagation"):
            options.append(f"bind-propagation={text('bind', 'propagation')}")
        if text("tmpfs", "size"):
            options.append(f"size={text('tmpfs', 'size')}")
        if text("volume", "subpath"):
            options.append(f"volume-subpath={text('volume', 'subpath')}")
        read_only = boolean(text("read_only")) or False
        mount = Mount(kind, host, text("target"), read_only, tuple(options))
        if kind == "volume":
            bind = self.bind_of_volume(mount, node, part)
            if bind is not None:
                return bind
        value: Value[Mount] = locate(mount, node, part, "volumes", self.document)
        source_node = yaml.get(node, "source")
        if source_node is None:
            return value
        at_source: Value[Mount] = locate(mount, source_node, part, "volumes", self.document)
        return at_source._replace(nodes=value.nodes)

    def bind_of_volume(self, mount: Mount, node: Node, part: Part) -> Value[Mount] | None:
        """A named volume whose driver options make it a bind of a host path."""
        entry = self.project.top_value("volumes", mount.source, "driver_opts", "device")
        if entry is None:
            return None
        device, file = entry
        options = {}
        for key in ("type", "o"):
            option = self.project.top_value("volumes", mount.source, "driver_opts", key)
            if option is not None:
                options[key] = option[1].resolve(option[1].text(option[0]) or "")
        written = [f"volume-opt={key}={value}" for key, value in options.items()]
        source = file.resolve(file.text(device) or "")
        if options.get("type", "") in ("", "none", "bind"):
            source = file.host_path(source)
        mount = mount._replace(options=(*mount.options, *written, f"volume-opt=device={source}"))
        at_device: Value[Mount] = locate(
            mount, device, part._replace(node=device, file=file), "volumes", self.document
        )
        return at_device._replace(nodes=locate(mount, node, part, "volumes", self.document).nodes)

    def files(self, section: str) -> Iterator[Value[Mount]]:
        """The files of secrets or configs, which Compose binds into the container, read-only."""
        for node, part in self.nodes(section):
            name = part.file.text(node) or part.file.text(yaml.get(node, "source"))
            entry = self.project.top_value(section, name or "", "file")
            if entry is None:
                continue
            node_of_path, file = entry
            target = part.file.text(yaml.get(node, "target")) or name or ""
            if not target.startswith("/"):
                target = f"/run/secrets/{target}" if section == "secrets" else f"/{target}"
            source = file.host_path(file.resolve(file.text(node_of_path) or ""))
            mount = Mount("bind", source, target, True)
            at = part._replace(node=node_of_path, file=file)
            at_path: Value[Mount] = locate(mount, node_of_path, at, section, self.document)
            yield at_path._replace(nodes=locate(mount, node, part, section, self.document).nodes)
