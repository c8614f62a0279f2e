"""Reads the properties of a devcontainer.json into the layers of a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import MissingFileError, UnreadableError
from sandboxd.findings import Place
from sandboxd.formats import _docker_flags as flags
from sandboxd.formats import _mounts
from sandboxd.formats._javascript import is_truthy
from sandboxd.model.container import Build, Container, Mount, Pair, SecurityOption, Unseen
from sandboxd.model.document import Document
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import argv
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node

_HOOKS = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
# Values of `seccomp=` that are not file names, or not meant to be.
_NO_FILES = ("", "unconfined", "builtin", "default")
# Where a missing setting is reported: at the key that names the image, else at the first options.
_ANCHORS = ("image", "build", "dockerFile", "dockerComposeFile", "runArgs", "name")


class Reader:
    """Reads the properties of one file into layers."""

    def __init__(self, document: Document, root: Node, variables: Resolver) -> None:
        self.path = document.source.path
        self.root = root
        self.variables = variables

    def value(self, normal: Any, node: Node, key: str, written: str | None = None) -> Value[Any]:
        text = node.text()
        span = flags.inner_span(node, text, 0, len(text)) if text else None
        return Value(
            normal,
            self.origin(key),
            Place(self.path, span or node.span),
            str(node.value) if written is None else written,
            (node,),
        )

    def origin(self, key: str) -> Origin:
        return Origin("file", self.path, key)

    def before(self, base: Container) -> Container:
        """`base` with the settings ahead of `runArgs` that both docker and Compose get."""
        return base._replace(
            place=self.anchor(),
            mounts=tuple(self.mounts()),
            env=tuple(self.environment("containerEnv")),
            user=self.text("containerUser"),
            remote_user=self.text("remoteUser"),
            remote_env=tuple(self.environment("remoteEnv")),
            host_commands=tuple(self.commands("initializeCommand")),
            lifecycle=tuple(value for hook in _HOOKS for value in self.commands(hook)),
            unseen=tuple(self.unseen()),
            workspace=self.workspace(),
            workspace_folder=self.text("workspaceFolder"),
        )

    def before_docker(self, base: Container) -> Container:
        """`base` with the settings that the CLI silently drops for Compose."""
        mounts = base.mounts
        node = self.root.get("workspaceMount")
        text = text_of(node)
        if node is not None and text:
            mounts = (self.mount(node, text, "workspaceMount"), *mounts)
        return base._replace(
            image=self.text("image"),
            build=self.build(),
            ports=tuple(self.ports()),
            mounts=mounts,
        )

    def build(self) -> Value[Build] | None:
        """The value of `build`, or of the old properties `dockerFile` and `context`."""
        node = self.root.get("build")
        table = node if node is not None and node.kind == "object" else None
        legacy = self.root.get("dockerFile")
        if table is None and legacy is None:
            return None
        # Late: most configs name an image.
        from sandboxd.formats.devcontainer.build import build

        build_value = build(self, table, self.root)
        place = table if table is not None else legacy
        return None if place is None else self.value(build_value, place, "build", "build")

    def run_args(self, base: Container) -> Container:
        node = self.root.get("runArgs")
        if node is None or node.kind != "array":
            return base
        arguments = argv.parse(node.items)
        container = flags.container(
            arguments.flags, base, self.origin("runArgs"), self.path, self.variables
        )
        unseen = [Unseen("arguments", problem.message) for problem in arguments.problems]
        image = arguments.image
        if image is not None:
            unseen.append(
                Unseen(
                    "arguments",
                    f"`{image.value}` in `runArgs` is taken for the image by docker, and every "
                    "option after it for the command",
                    "write each option as one string, `--name=value`",
                )
            )
            container = container._replace(image=self.value(str(image.value), image, "runArgs"))
        return container._replace(unseen=tuple(unseen))

    def after(self, base: Container) -> Container:
        """`base` with the settings behind `runArgs`. The CLI adds `--privileged` and `--init` only for true."""
        return base._replace(
            gpus=self.gpus(),
            init=self.switch("init"),
            privileged=self.switch("privileged"),
            cap_add=tuple(
                self.value(flags.capability(self.variables.resolve(text)), item, "capAdd")
                for item, text in self.strings("capAdd")
            ),
            security_opt=tuple(
                self.value(flags.security_option(self.variables.resolve(text)), item, "securityOpt")
                for item, text in self.strings("securityOpt")
            ),
        )

    def is_missing(self, option: Value[SecurityOption]) -> bool:
        """Whether a seccomp profile is known to be missing; docker looks in the project's folder."""
        path = option.value.value
        if option.value.name != "seccomp" or path in _NO_FILES or self.variables.files is None:
            return False
        workspace = self.workspace()
        if not path.startswith(("/", "~", "$")):
            path = f"{workspace}/{path}" if workspace is not None else "$"
        if workspace is None or not path.startswith(f"{workspace}/"):
            return False
        try:
            self.variables.read(path, self.path)
        except UnreadableError as error:
            return isinstance(error, MissingFileError)
        return False

    def workspace(self) -> str | None:
        variable = "${localWorkspaceFolder}"
        path = self.variables.resolve(variable)
        return None if path == variable else path

    def anchor(self) -> Place:
        for key in _ANCHORS:
            member = self.root.member(key)
            if member is not None:
                return Place(self.path, member.key.span)
        return Place(self.path, Span(self.root.span.start, self.root.span.start + 1))

    def text(self, key: str) -> Value[str] | None:
        node = self.root.get(key)
        text = text_of(node)
        if node is None or not text:
            return None
        return self.value(self.variables.resolve(text), node, key)

    def switch(self, key: str) -> Value[bool] | None:
        """A boolean as the CLI reads it, which takes whatever JavaScript treats as true: `"false"` in quotes, too."""
        node = self.root.get(key)
        if node is None or not is_truthy(node):
            return None
        return self.value(True, node, key, node.text() or "true")

    def gpus(self) -> Value[str] | None:
        """The GPUs of `hostRequirements.gpu`, for which the CLI adds `--gpus all` where the engine can."""
        node = self.root.get("hostRequirements")
        node = node.get("gpu") if node is not None else None
        if node is None or not is_truthy(node):
            return None
        if node.kind == "object":
            words = ", ".join(str(member.key.value) for member in node.members)
        else:
            words = node.text() or ""
        return self.value("all", node, "hostRequirements", f"gpu: {words}" if words else "gpu")

    def strings(self, key: str) -> list[tuple[Node, str]]:
        node = self.root.get(key)
        if node is None or node.kind != "array":
            return []
        texts = [(item, item.text()) for item in node.items]
        return [(item, text) for item, text in texts if text is not None]

    def mounts(self) -> list[Value[Mount]]:
        node = self.root.get("mounts")
        if node is None or node.kind != "array":
            return []
        mounts: list[Value[Mount]] = []
        for item in node.items:
            text = item.text()
            if text is not None:
                mounts.append(self.mount(item, text, "mounts"))
            elif item.kind == "object":
                mounts.append(self.mount_object(item))
        return mounts

    def mount(self, node: Node, text: str, key: str) -> Value[Mount]:
        written = _mounts.from_csv(text, self.variables)
        value = self.value(written.mount, node, key, text[written.start : written.end])
        span = flags.inner_span(node, text, written.start, written.end)
        return value if span is None else value._replace(place=Place(self.path, span))

    def mount_object(self, node: Node) -> Value[Mount]:
        source = node.get("source")
        mount = _mounts.from_fields(
            text_of(node.get("type")) or "volume",
            text_of(source) or "",
            text_of(node.get("target")) or "",
            self.variables,
        )
        value = self.value(mount, node, "mounts", text_of(source) or "")
        if source is None:
            return value
        return value._replace(place=self.value(mount, source, "mounts").place)

    def environment(self, name: str) -> list[Value[Pair]]:
        node = self.root.get(name)
        if node is None or node.kind != "object":
            return []
        return [
            self.value(Pair(str(key.value), self.variables.resolve(text)), value, name)
            for key, value in node.members
            if (text := value.text()) is not None
        ]

    def ports(self) -> list[Value[str]]:
        node = self.root.get("appPort")
        if node is None:
            return []
        ports: list[Value[str]] = []
        for item in node.items if node.kind == "array" else [node]:
            if item.kind == "number":
                ports.append(self.value(f"127.0.0.1:{item.value}:{item.value}", item, "appPort"))
            elif item.text():
                ports.append(self.value(self.variables.resolve(str(item.value)), item, "appPort"))
        return ports

    def commands(self, hook: str) -> list[Value[str]]:
        """The commands of a hook: a string, the words of one, or an object of commands."""
        node = self.root.get(hook)
        if node is None:
            return []
        commands = [value for _, value in node.members] if node.kind == "object" else [node]
        values: list[Value[str]] = []
        for command in commands:
            if command.kind == "array":
                text = " ".join(str(item.value) for item in command.items)
            else:
                text = text_of(command) or ""
            if text.strip():
                values.append(self.value(text, command, hook, text))
        return values

    def unseen(self) -> list[Unseen]:
        sources: list[Unseen] = []
        compose = self.root.get("dockerComposeFile")
        if compose is not None:
            service = text_of(self.root.get("service"))
            which = f"the Compose service `{service}`" if service else "the Compose service"
            sources.append(Unseen("compose", f"{which} is not read: most settings stand there"))
        return sources


def text_of(node: Node | None) -> str | None:
    return None if node is None else node.text()
