"""A service of a Compose project into a `model.Container`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats import _docker_flags as flags
from sandboxd.formats.compose.mounts import Mounts
from sandboxd.formats.compose.values import boolean, entries, locate
from sandboxd.model.container import Container, Device, Hook, Pair, Unseen
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from sandboxd.formats.compose.project import Part, Project, Service
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node

_TEXTS = {
    "image": "image",
    "runtime": "runtime",
    "user": "user",
    "network_mode": "network",
    "pid": "pid",
    "ipc": "ipc",
    "uts": "uts",
    "userns_mode": "userns",
    "cgroup": "cgroupns",
    "cgroup_parent": "cgroup_parent",
    "working_dir": "working_dir",
    "mem_limit": "memory",
    "cpus": "cpus",
    "memswap_limit": "memory_swap",
    "shm_size": "shm_size",
    "restart": "restart",
}
_SWITCHES = {
    "privileged": "privileged",
    "read_only": "read_only_rootfs",
    "init": "init",
    "use_api_socket": "api_socket",
    "oom_kill_disable": "oom_kill_disable",
}
_LISTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "cap_add": ("cap_add", flags.capability),
    "cap_drop": ("cap_drop", flags.capability),
    "security_opt": ("security_opt", flags.security_option),
    "group_add": ("group_add", str),
    "device_cgroup_rules": ("device_cgroup_rules", str),
    "volumes_from": ("volumes_from", str),
}
_PAIRS = {
    "environment": ("env", "="),
    "labels": ("labels", "="),
    "annotations": ("annotations", "="),
    "sysctls": ("sysctls", "="),
    "extra_hosts": ("extra_hosts", "=:"),
}


def container(service: Service, project: Project, document: str) -> Container:
    """The container that `service` describes; `document` is the file that is checked."""
    return _Reader(service, project, document).read()


class _Reader:
    def __init__(self, service: Service, project: Project, document: str) -> None:
        self.service = service
        self.project = project
        self.document = document
        self.fields: dict[str, Any] = {}
        self.unseen: list[Unseen] = []

    def read(self) -> Container:
        for key, field in _TEXTS.items():
            self.set(field, self.text(key))
        for key, field in _SWITCHES.items():
            self.set(field, self.switch(key))
        for key, (field, convert) in _LISTS.items():
            self.fields[field] = tuple(self.items(key, convert))
        for key, (field, marks) in _PAIRS.items():
            self.fields[field] = tuple(self.pairs(key, marks))
        self.fields["ulimits"] = tuple(self.ulimits())
        self.fields["devices"] = tuple(self.devices())
        self.fields["ports"] = tuple(self.ports())
        self.fields["env_files"] = tuple(self.env_files())
        if self.fields["env_files"]:
            self.environment_of_files()
        self.fields["hooks"] = tuple(self.hooks())
        mounts = Mounts(self.service, self.project, self.document)
        self.fields["mounts"] = tuple(mounts.read())
        self.fields["watched"] = tuple(mounts.watched())
        self.set("provider", self.provider())
        self.build()
        self.limits()
        self.logging()
        self.gpus()
        workspace = self.project.variables.resolve("${localWorkspaceFolder}")
        described = any(key in self.service.parts for key in ("image", "build", "provider"))
        return Container(
            self.service.name,
            self.service.place,
            **self.fields,
            unseen=tuple(self.unseen),
            workspace=None if workspace.startswith("$") else workspace,
            partial=not described,
        )

    def set(self, field: str, value: Value[Any] | None) -> None:
        if value is not None:
            self.fields[field] = value

    def value(self, normal: Any, node: Node, part: Part, key: str) -> Value[Any]:
        return locate(normal, node, part, key, self.document)

    def text(self, key: str) -> Value[str] | None:
        part = self.service.last(key)
        text = part.file.text(part.node) if part is not None else None
        if part is None or not text:
            return None
        return self.value(part.file.resolve(text), part.node, part, key)

    def switch(self, key: str) -> Value[bool] | None:
        """A boolean; Compose takes strings as well, once their variables are replaced."""
        part = self.service.last(key)
        text = part.file.text(part.node) if part is not None else None
        switch = boolean(part.file.resolve(text)) if part is not None and text else None
        if part is None or switch is None:
            return None
        return self.value(switch, part.node, part, key)

    def nodes(self, key: str) -> Iterator[tuple[Node, Part]]:
        """The items of a list over all its parts; a single value counts as a list of one."""
        for part in self.service.parts.get(key, ()):
            node = yaml.target(part.node)
            if node.kind == "array":
                for item in node.items:
                    if self.project.takes():
                        yield item, part
            elif node.kind != "null":
                yield part.node, part

    def items(self, key: str, convert: Callable[[str], Any]) -> Iterator[Value[Any]]:
        for node, part in self.nodes(key):
            text = part.file.text(node)
            if text:
                yield self.value(convert(part.file.resolve(text)), node, part, key)

    def pairs(self, key: str, marks: str) -> Iterator[Value[Pair]]:
        """The pairs in a list of ``NAME=value`` or an object ``NAME: value``; of a name the last one counts."""
        latest: dict[object, Value[Pair]] = {}
        for part in self.service.parts.get(key, ()):
            for name, written, node in entries(part, marks):
                if not self.project.takes():
                    break
                # Values of `.env` may be secrets, so the environment shows defaults only.
                clean = part.file.public if key == "environment" else part.file.resolve
                pair = Pair(name, f"${{{name}}}" if written is None else clean(written))
                # A host may have several addresses.
                identity = pair if key == "extra_hosts" else name
                latest.pop(identity, None)
                if yaml.tag(node) != "!reset":
                    latest[identity] = self.value(pair, node, part, key)
        yield from latest.values()

    def ulimits(self) -> Iterator[Value[Pair]]:
        """The limits by name; the last one of a name counts."""
        latest: dict[str, Value[Pair]] = {}
        for part in self.service.parts.get("ulimits", ()):
            for name, node in yaml.members(part.node):
                limit = part.file.text(node)
                if limit is None:
                    both = (part.file.text(yaml.get(node, end)) for end in ("soft", "hard"))
                    limit = ":".join(part.file.resolve(end or "") for end in both)
                pair = Pair(str(name.value), part.file.resolve(limit))
                latest[pair.name] = self.value(pair, node, part, "ulimits")
        yield from latest.values()

    def devices(self) -> Iterator[Value[Device]]:
        """The devices; the last one of a path inside the container counts."""
        latest: dict[str, Value[Device]] = {}
        for node, part in self.nodes("devices"):
            text = part.file.text(node)
            source = part.file.resolve(part.file.text(yaml.get(node, "source")) or "")
            if text:
                device = flags.device(part.file.resolve(text))
            elif source:
                target = part.file.text(yaml.get(node, "target")) or source
                permissions = part.file.text(yaml.get(node, "permissions")) or "rwm"
                device = Device(source, part.file.resolve(target), permissions)
            else:
                continue
            latest.pop(device.target, None)
            latest[device.target] = self.value(device, node, part, "devices")
        yield from latest.values()

    def ports(self) -> Iterator[Value[str]]:
        """The published ports; of equal spellings the last one counts."""
        latest: dict[str, Value[str]] = {}
        for node, part in self.nodes("ports"):
            text = part.file.text(node)
            if text is None:
                ends = [part.file.text(yaml.get(node, key)) for key in ("host_ip", "published")]
                target = part.file.text(yaml.get(node, "target"))
                text = ":".join(end for end in (*ends, target) if end)
                protocol = part.file.text(yaml.get(node, "protocol"))
                text += f"/{protocol}" if text and protocol not in (None, "tcp") else ""
            port = part.file.resolve(text)
            if port:
                latest.pop(port, None)
                latest[port] = self.value(port, node, part, "ports")
        yield from latest.values()

    def env_files(self) -> Iterator[Value[str]]:
        for node, part in self.nodes("env_file"):
            path = part.file.text(node)
            path_node = node if path else yaml.get(node, "path")
            path = part.file.text(path_node)
            if path and path_node is not None:
                host = part.file.host_path(part.file.resolve(path))
                yield self.value(host, path_node, part, "env_file")

    def environment_of_files(self) -> None:
        """Add the variables of `env_file`, which `environment` overrides."""
        from sandboxd.formats.compose.env import of_files

        variables, takes = self.project.variables, self.project.takes
        pairs, unseen = of_files(self.fields["env_files"], variables, takes, self.document)
        own_names = {pair.value.name for pair in self.fields["env"]}
        below = (pair for pair in pairs if pair.value.name not in own_names)
        self.fields["env"] = (*below, *self.fields["env"])
        self.unseen.extend(unseen)

    def hooks(self) -> Iterator[Value[Hook]]:
        for key in ("post_start", "pre_stop"):
            for node, part in self.nodes(key):
                if yaml.target(node).kind != "object":
                    continue
                command = yaml.get(node, "command")
                words = command.items if command is not None and command.kind == "array" else []
                written = " ".join(part.file.text(word) or "" for word in words)
                user = yaml.get(node, "user")
                privileged = yaml.get(node, "privileged")
                hook = Hook(
                    part.file.text(command) or written,
                    part.file.resolve(part.file.text(user) or ""),
                    boolean(part.file.resolve(part.file.text(privileged) or "")) or False,
                )
                yield self.value(hook, privileged or user or node, part, key)

    def provider(self) -> Value[str] | None:
        part = self.service.last("provider")
        kind = yaml.get(part.node, "type") if part is not None else None
        text = part.file.text(kind) if part is not None else None
        if part is None or kind is None or not text:
            return None
        return self.value(part.file.resolve(text), kind, part, "provider")

    def limits(self) -> None:
        """Read `deploy.resources.limits`, which has the same meaning as the keys of the service."""
        for key, field in (("memory", "memory"), ("cpus", "cpus")):
            for part in self.service.parts.get("deploy", ()):
                node = yaml.get(part.node, "resources", "limits", key)
                text = part.file.text(node)
                if node is not None and text:
                    self.set(field, self.value(part.file.resolve(text), node, part, "deploy"))
        for part in self.service.parts.get("deploy", ()):
            node = yaml.get(part.node, "resources", "limits", "pids")
            self.integer("pids_limit", node, part, "deploy")
        for key in ("pids_limit", "oom_score_adj"):
            last = self.service.last(key)
            if last is not None:
                self.integer(key, last.node, last, key)

    def integer(self, field: str, node: Node | None, part: Part, key: str) -> None:
        text = part.file.resolve(part.file.text(node) or "")
        if node is not None and text.lstrip("-").isdecimal() and len(text) < 20:
            self.set(field, self.value(int(text), node, part, key))

    def logging(self) -> None:
        """Set driver and options of the log: the last of an option counts, and another driver drops all."""
        latest: dict[str, Value[Pair]] = {}
        for part in self.service.parts.get("logging", ()):
            driver, options = (yaml.get(part.node, key) for key in ("driver", "options"))
            name = part.file.resolve(part.file.text(driver) or "")
            if driver is not None and name:
                before = self.fields.get("log_driver")
                if before is not None and before.value != name:
                    latest.clear()
                self.set("log_driver", self.value(name, driver, part, "logging"))
            if options is not None:
                for key, text, value in entries(part._replace(node=options), "="):
                    pair = Pair(key, part.file.resolve(text or ""))
                    latest[key] = self.value(pair, value, part, "logging")
        self.fields["log_options"] = tuple(latest.values())

    def gpus(self) -> None:
        """Read `gpus: all`, a list of devices, or the long form below `deploy`."""
        for node, part in self.nodes("gpus"):
            gpus = part.file.resolve(part.file.text(node) or "") or "all"
            self.set("gpus", self.value(gpus, node, part, "gpus"))
        for part in self.service.parts.get("deploy", ()):
            table = yaml.get(part.node, "resources", "reservations", "devices")
            for node in table.items if table is not None else ():
                capabilities = yaml.get(node, "capabilities")
                words = capabilities.items if capabilities is not None else []
                if capabilities is not None and any(
                    part.file.text(word) == "gpu" for word in words
                ):
                    self.set("gpus", self.value("all", capabilities, part, "deploy"))

    def build(self) -> None:
        parts = self.service.parts.get("build")
        if parts:
            # Late: most services name an image.
            from sandboxd.formats.compose.build import build

            build_value, unseen = build(parts, self.document)
            self.set("build", build_value)
            self.unseen.extend(unseen)
