"""A container of a Pod into a `model.Container`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats.kubernetes.values import items, locate, place, retyped, switch, text
from sandboxd.formats.kubernetes.volumes import mounts
from sandboxd.model.container import Container, Device, Pair, SecurityOption
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.formats.kubernetes.pods import PodSpec
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_NAMESPACES = {"hostNetwork": "network", "hostPID": "pid", "hostIPC": "ipc"}


def containers_of(spec: PodSpec, source: SourceText) -> Iterator[Container]:
    """The containers of a Pod; their names are unique within a file."""
    for node in spec.containers:
        yield _Reader(node, spec, source).container()


class _Reader:
    """Reads one container; a setting that it lacks is taken from its Pod."""

    def __init__(self, node: Node, spec: PodSpec, source: SourceText) -> None:
        self.node = node
        self.spec = spec
        self.source = source
        self.own = yaml.get(node, "securityContext")
        self.outer = yaml.get(spec.spec, "securityContext")

    def container(self) -> Container:
        name = yaml.get(self.node, "name")
        image = text(self.node, "image", self.source)
        label = (name.text() or "") if name is not None else ""
        fields: dict[str, Any] = {
            "image": image,
            "runtime": self.runtime(),
            "privileged": switch(self.own, "privileged", self.source),
            "read_only_rootfs": switch(self.own, "readOnlyRootFilesystem", self.source),
            "user": self.user(),
            "image_user": self.image_user(),
            "cap_add": tuple(self.capabilities("add")),
            "cap_drop": tuple(self.capabilities("drop")),
            "security_opt": tuple(self.security_options()),
            "mounts": tuple(mounts(self.node, self.spec, self.source)),
            "devices": tuple(self.devices()),
            "env": tuple(self.environment()),
            "ports": tuple(self.ports()),
            "sysctls": tuple(self.sysctls()),
            "memory": self.limit("memory"),
            "cpus": self.limit("cpu"),
            "working_dir": text(self.node, "workingDir", self.source),
            **self.namespaces(),
        }
        # One name may stand in several objects of the file.
        identity = f"{self.spec.kind}/{self.spec.name}/{label}@{self.node.span.start}"
        return Container(
            identity,
            place(name or self.node, self.source),
            **fields,
            partial=image is None or bool(self.spec.around),
            on_cluster=True,
        )

    def namespaces(self) -> dict[str, Value[str]]:
        """The namespaces of the node that the Pod shares."""
        shared: dict[str, Value[str]] = {}
        for holder in (*self.spec.around, self.spec.spec):
            for key, field in _NAMESPACES.items():
                value = switch(holder, key, self.source)
                if value is not None and value.value:
                    shared[field] = retyped(value, "host")
        return shared

    def runtime(self) -> Value[str] | None:
        """The runtime: `runsc` for a class that is named after gVisor, else the name of the class."""
        value = text(self.spec.spec, "runtimeClassName", self.source)
        if value is not None and "gvisor" in value.value:
            return value._replace(value="runsc")
        return value

    def user(self) -> Value[str] | None:
        return text(self.own, "runAsUser", self.source) or text(
            self.outer, "runAsUser", self.source
        )

    def image_user(self) -> Value[str] | None:
        """The user of the image, which is not root where the node refuses to start it as root."""
        refuses = switch(self.own, "runAsNonRoot", self.source)
        if refuses is None:
            refuses = switch(self.outer, "runAsNonRoot", self.source)
        return retyped(refuses, "non-root") if refuses is not None and refuses.value else None

    def capabilities(self, key: str) -> Iterator[Value[str]]:
        table = yaml.get(self.own, "capabilities", key)
        # An alias stays one: a fix takes it out, and not what it stands for.
        for item in table.items if table is not None else ():
            name = yaml.scalar_text(item)
            if name:
                normal = name.upper().removeprefix("CAP_")
                yield locate(normal, item, f"capabilities.{key}", self.source)

    def security_options(self) -> Iterator[Value[SecurityOption]]:
        escalation = switch(self.own, "allowPrivilegeEscalation", self.source)
        if escalation is not None:
            option = SecurityOption("no-new-privileges", "false" if escalation.value else "true")
            yield retyped(escalation, option)
        profile = self.profile("seccompProfile", "seccomp")
        if profile is not None:
            yield profile
        profile = self.profile("appArmorProfile", "apparmor") or self.annotated_profile()
        if profile is not None:
            yield profile
        yield from self.selinux()
        masks = text(self.own, "procMount", self.source)
        if masks is not None and masks.value == "Unmasked":
            option = SecurityOption("systempaths", "unconfined")
            yield retyped(masks._replace(written="procMount: Unmasked"), option)

    def profile(self, key: str, name: str) -> Value[SecurityOption] | None:
        """A profile that is switched off; what other names mean on the cluster is not known here."""
        for context in (self.own, self.outer):
            kind = yaml.get(context, key, "type")
            if kind is None or not kind.text():
                continue
            if kind.text() != "Unconfined":
                return None
            option = SecurityOption(name, "unconfined")
            return locate(
                option,
                kind,
                key,
                self.source,
                entry=yaml.get(context, key),
                shown=f"{key}: {kind.text()}",
            )
        return None

    def selinux(self) -> Iterator[Value[SecurityOption]]:
        """The type and the level that SELinux gives to the processes; those of the container go first."""
        for key in ("type", "level"):
            contexts = (yaml.get(each, "seLinuxOptions", key) for each in (self.own, self.outer))
            node = next((each for each in contexts if each is not None), None)
            label = yaml.scalar_text(node) if node is not None else None
            if node is not None and label:
                option = SecurityOption("label", f"{key}:{label}")
                shown = f"seLinuxOptions.{key}: {label}"
                yield locate(option, node, "seLinuxOptions", self.source, shown=shown)

    def annotated_profile(self) -> Value[SecurityOption] | None:
        """A profile in the annotations, the form before Kubernetes 1.30."""
        name = yaml.get(self.node, "name")
        label = name.text() if name is not None else ""
        value = yaml.get(self.spec.annotations, f"{_ANNOTATION}{label}")
        if value is None or value.text() != "unconfined":
            return None
        option = SecurityOption("apparmor", "unconfined")
        return locate(option, value, "annotations", self.source, shown="unconfined")

    def devices(self) -> Iterator[Value[Device]]:
        """Block devices of volumes, without a file system."""
        table = yaml.get(self.node, "volumeDevices")
        for item in table.items if table is not None else ():
            path = yaml.get(yaml.target(item), "devicePath")
            if path is not None and path.text():
                device = Device(path.text() or "", path.text() or "")
                yield locate(device, path, "volumeDevices", self.source, entry=item)

    def environment(self) -> Iterator[Value[Pair]]:
        for item in items(self.node, "env"):
            name, value = yaml.get(item, "name"), yaml.get(item, "value")
            if name is not None and name.text() and value is not None:
                pair = Pair(name.text() or "", yaml.scalar_text(value) or "")
                yield locate(pair, value, "env", self.source, entry=item)

    def ports(self) -> Iterator[Value[str]]:
        """The ports of the node. Ports of the Pod alone are open to the cluster, whatever is written."""
        for item in items(self.node, "ports"):
            host = yaml.get(item, "hostPort")
            if host is None or not yaml.scalar_text(host) or host.value == 0:
                continue
            address, inside = yaml.get(item, "hostIP"), yaml.get(item, "containerPort")
            ends = [node for node in (address, host, inside) if node is not None]
            port = ":".join(yaml.scalar_text(node) or "" for node in ends)
            yield locate(port, host, "hostPort", self.source, entry=item)

    def sysctls(self) -> Iterator[Value[Pair]]:
        for item in items(self.outer, "sysctls"):
            name, value = yaml.get(item, "name"), yaml.get(item, "value")
            if name is not None and name.text() and value is not None:
                pair = Pair(name.text() or "", yaml.scalar_text(value) or "")
                yield locate(pair, name, "sysctls", self.source, entry=item)

    def limit(self, resource: str) -> Value[str] | None:
        return text(yaml.get(self.node, "resources", "limits"), resource, self.source)
