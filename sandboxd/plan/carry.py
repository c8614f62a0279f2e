"""Copies harmless parts of a hand-written devcontainer.json into the generated one.

They act only inside the sandbox or in the editor. Properties that `model.Container` describes are decided by
`plan.base`; unknown ones are left out with the reason.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Any, NamedTuple

from sandboxd.config.model import Setting
from sandboxd.config.values import takes_from_host
from sandboxd.findings import Place
from sandboxd.model.document import Document
from sandboxd.plan.reasons import LeftOut
from sandboxd.plan.refused_features import NONE_SKIPPED, Skipped, refused
from sandboxd.syntax import argv
from sandboxd.syntax.node import Node, plain

GENERATED_FOLDER = ".devcontainer/sandboxd"
"""The folder of generated files in a project with a hand-written devcontainer.json."""

_HARMLESS = (
    "name",
    "features",
    "overrideFeatureInstallOrder",
    "customizations",
    "forwardPorts",
    "portsAttributes",
    "otherPortsAttributes",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
    "waitFor",
    "remoteEnv",
    "userEnvProbe",
    "updateRemoteUserUID",
    "shutdownAction",
    "hostRequirements",
    "secrets",
)

# Described by `model.Container`, so `plan.base` takes them over or says why not.
_DESCRIBED = (
    "$schema",
    "image",
    "runArgs",
    "containerUser",
    "remoteUser",
    "containerEnv",
    "mounts",
    "workspaceMount",
    "privileged",
    "init",
    "capAdd",
    "securityOpt",
    "appPort",
    "initializeCommand",
    "build",
    "dockerFile",
    "context",
    "dockerComposeFile",
    "service",
    "runServices",
)

_OTHER: dict[str, str] = {
    "workspaceFolder": "the workspace is where sandboxd mounts it, and `${containerWorkspaceFolder}` is that place; `sandboxd "
    "up` works in a folder of it",
    "overrideCommand": "the container is kept alive by the tool that starts it",
    "extensions": "an old spelling: move it to `customizations.vscode`",
    "settings": "an old spelling: move it to `customizations.vscode`",
}

_FROM_HOST = "it copies a variable of the host, maybe a secret, into the sandbox"

_HARMLESS_FLAGS = ("hostname", "label", "name", "platform", "pull", "shm-size", "stop-timeout")

# A container with another folder's label is opened by editors in place of that folder's own.
_TOOLS_LABELS = ("dev.sandboxd.", "devcontainer.", "com.docker.", "vsch.", "dev.containers.")

# Flags of docker that `formats` reads into the model.
_DESCRIBED_FLAGS = (
    "annotation", "cap-add", "cap-drop", "cgroupns", "cpus", "device", "env", "gpus", "init", "ipc", "memory",
    "mount", "network", "pid", "pids-limit", "privileged", "publish", "read-only", "runtime",
    "security-opt", "tmpfs", "ulimit", "user", "userns", "uts", "volume", "workdir",
)  # fmt: skip


class Carried(NamedTuple):
    """Properties to write (name and JSON value), harmless `runArgs`, and what is left out with the reason."""

    members: tuple[tuple[str, Any], ...] = ()
    run_args: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def without(self, item: str) -> Carried:
        """A copy that no longer lists `item` as left out."""
        return self._replace(left_out=tuple(each for each in self.left_out if each.item != item))

    def with_ports(self, ports: Iterable[Setting[str]]) -> Carried:
        """A copy with `ports`, `[network] forward` of sandboxd.toml, in `forwardPorts`; which port is to be at another
        number on this machine has no word there.
        """
        named = [_without_local(setting.value) for setting in ports]
        members = dict(self.members)
        present = members.get("forwardPorts", [])
        listed = list(present) if isinstance(present, list) else [present]
        if missing := [port for port in named if port not in listed and str(port) not in listed]:
            members["forwardPorts"] = [*listed, *missing]
        return self._replace(members=tuple(members.items()))


def _without_local(text: str) -> int | str:
    """A text that `config.values.PORT` matches, as `forwardPorts` has it."""
    if text[0].isdigit():
        return int(text.partition(":")[0])
    service, number = text.split(":")[:2]
    return f"{service}:{number}"


NOTHING = Carried()


def carry(document: Document, folder: str, skipped: Skipped = NONE_SKIPPED) -> Carried:
    """Choose the parts of `document` to copy.

    :param folder: the document's folder within the workspace; '' for the top
    :param skipped: the Features that sandboxd.toml leaves out
    """
    root = document.tree.root
    if root is None or root.kind != "object":
        return NOTHING
    work = _Carrier(
        document.source.path, posixpath.relpath(folder or ".", GENERATED_FOLDER), skipped
    )
    for key in dict.fromkeys(str(member.key.value) for member in root.members):
        node = root.get(key)
        if node is None or node.kind == "missing" or key in _DESCRIBED:
            continue
        if key in _HARMLESS:
            work.member(key, node)
        else:
            why = _OTHER.get(key, "sandboxd does not know this property")
            work.leave_out(key, why, node)
    work.build(root)
    run_args = root.get("runArgs")
    if run_args is not None and run_args.kind == "array":
        work.flags(argv.parse(run_args.items))
    return Carried(tuple(work.members), tuple(work.run_args), tuple(work.left_out))


class _Carrier:
    def __init__(self, path: str, prefix: str, skipped: Skipped) -> None:
        self.path = path
        self.prefix = prefix
        self.skipped = skipped
        self.members: list[tuple[str, Any]] = []
        self.run_args: list[str] = []
        self.left_out: list[LeftOut] = []

    def leave_out(self, item: str, why: str, node: Node) -> None:
        self.left_out.append(LeftOut(item, why, Place(self.path, node.span)))

    def member(self, key: str, node: Node) -> None:
        value = plain(node)
        if key == "remoteEnv" and isinstance(value, dict):
            for member in node.members:
                name = str(member.key.value)
                if takes_from_host(str(plain(member.value))):
                    value.pop(name, None)
                    self.leave_out(f"remoteEnv.{name}", _FROM_HOST, member.value)
            if not value:
                return
        elif takes_from_host(str(value)):
            self.leave_out(key, _FROM_HOST, node)
            return
        if key == "hostRequirements" and isinstance(value, dict):
            # The CLI adds `--gpus all` for it, whatever was granted; `plan.gpus` says what becomes of it.
            value.pop("gpu", None)
            if not value:
                return
        if key == "features" and isinstance(value, dict):
            for name in [name for name in value if self.refuse_feature(name, node)]:
                del value[name]
            value = {self.relocate_feature(name): options for name, options in value.items()}
        self.members.append((key, value))

    def refuse_feature(self, name: str, node: Node) -> bool:
        """Leave out a Feature that needs what the sandbox must not give; returns whether it is one."""
        entry = refused(name, self.skipped)
        if entry is None:
            return False
        place = node.get(name) or node
        instead = f"; instead: {entry.instead}" if entry.instead else ""
        self.leave_out(f"features.{name}", f"{entry.why}{instead}", place)
        return True

    def relocate_feature(self, name: str) -> str:
        return self.relocate(name) if name.startswith("./") else name

    def relocate(self, path: str) -> str:
        """A path relative to the hand-written file, as seen from the generated one."""
        if posixpath.isabs(path) or path.startswith("${"):
            return path
        return posixpath.normpath(posixpath.join(self.prefix, path))

    def build(self, root: Node) -> None:
        """Take over `build`, or its old spelling, with paths relative to the generated file's folder."""
        node = root.get("build")
        value = plain(node) if node is not None else None
        build = dict(value) if isinstance(value, dict) else {}
        for old, new in (("dockerFile", "dockerfile"), ("context", "context")):
            text = root.get(old)
            if text is not None and text.text() is not None:
                build.setdefault(new, text.text())
        if not isinstance(build.get("dockerfile"), str):
            return
        build["dockerfile"] = self.relocate(build["dockerfile"])
        context = build.get("context")
        build["context"] = self.relocate(context if isinstance(context, str) else ".")
        place = node or root
        if build.pop("options", None) is not None:
            self.leave_out("build.options", "options of `docker build` can open the host", place)
        for key in [key for key, value in build.items() if takes_from_host(str(value))]:
            why = "it copies variables of the host, maybe secrets, into the image"
            self.leave_out(f"build.{key}", why, place)
            build.pop(key)
        self.members.append(("build", build))

    def flags(self, arguments: argv.Arguments) -> None:
        for flag in arguments.flags:
            if flag.name in _DESCRIBED_FLAGS:
                continue
            written = f"--{flag.name}" + (f"={flag.value}" if flag.value is not None else "")
            if flag.name not in _HARMLESS_FLAGS or flag.value is None:
                why = "not known to leave the sandbox closed"
                self.leave_out(f"runArgs: {written}", why, flag.nodes[0])
            elif takes_from_host(written):
                self.leave_out(f"runArgs: {written}", _FROM_HOST, flag.nodes[0])
            elif flag.name == "label" and flag.value.startswith(_TOOLS_LABELS):
                why = "tools find their containers by it: this one would stand for another's"
                self.leave_out(f"runArgs: {written}", why, flag.nodes[0])
            else:
                self.run_args.append(written)
        if arguments.image is not None:
            why = "docker would take it for the image, and what follows for its command"
            self.leave_out(f"runArgs: {arguments.image.value}", why, arguments.image)
