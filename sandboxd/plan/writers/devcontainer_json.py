"""Writes a plan as devcontainer.json, each line with its reason.

Security options are top-level properties: the dev container CLI appends those of image labels
and Features after `runArgs`, and docker takes the last (docs/decisions/0009).
"""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import Any

from sandboxd.model.container import Mount
from sandboxd.model.labels import EDITOR, MADE_BY, NETWORK_HINT
from sandboxd.plan import inner_network, subpath_mounts
from sandboxd.plan.carry import GENERATED_FOLDER, NOTHING, Carried
from sandboxd.plan.compose import ComposeProject
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers._flags import flags, is_tmpfs_flag, mount_flag, mount_text

SECCOMP_FILE = f"{GENERATED_FOLDER}/seccomp.json"
"""A copy of the seccomp profile next to the generated file, which therefore names no path of this machine."""

COMPOSE_FILE = f"{GENERATED_FOLDER}/docker-compose.sandboxd.yml"
"""The file with the plan if the project uses Compose, where `runArgs` and `mounts` are ignored."""

_FOLDER = "${localWorkspaceFolder}"
_ID = "${devcontainerId}"

_MAKES_NETWORK = "sandboxd daemon start"
_ON_FAILURE = ["seen in the command line of a start that failed as the network is not there"]

# Characters that end a field of a mount, or need more than quotes around it.
_SEPARATORS = ',"\r\n'


def render(plan: Plan, carried: Carried = NOTHING) -> str:
    """The text of the file, without the header that `plan.generate` adds.

    :param carried: the parts of a hand-written devcontainer.json to copy
    """
    return _Writer(plan, carried).text()


class _Writer:
    def __init__(self, plan: Plan, carried: Carried) -> None:
        self.plan = plan
        self.container = plan.container
        if plan.inner is not None:
            self.container = inner_network.join(plan.container, plan.inner, plan.workspace)
        self.carried = carried
        self.properties: list[list[str]] = []
        self.mount_flags: list[tuple[str, list[str]]] = []
        self.whys = {(reason.field, reason.item): reason for reason in plan.reasons}

    def text(self) -> str:
        carried = dict(self.carried.members)
        self.property("name", carried.pop("name", plan_name(self.plan)))
        if self.plan.compose is not None:
            self.compose(self.plan.compose)
            for key in ("build", "updateRemoteUserUID"):
                carried.pop(key, None)
        else:
            self.one_container(carried)
        if self.plan.prepare:
            self.prepare(carried)
        for key, value in carried.items():
            self.property(key, value, ["from your devcontainer.json"])
        body = ",\n".join("\n".join(lines) for lines in self.properties)
        return "\n".join([*self.preface(), "{", body, "}", ""])

    def compose(self, project: ComposeProject) -> None:
        """Write the project's files and ours after them; all that matters is in ours."""
        up = "../" * (GENERATED_FOLDER.count("/") + 1)
        files = [f"{up}{file}" for file in project.files]
        own = COMPOSE_FILE.rpartition("/")[2]
        self.property("dockerComposeFile", [*files, own], ["the last one is the plan"])
        self.property("service", project.service)
        if project.run_services is not None:
            self.property("runServices", list(project.run_services))
        if self.container.working_dir is not None:
            self.property("workspaceFolder", self.container.working_dir.value)
        if self.container.user is not None:
            self.property("remoteUser", self.container.user.value)
        self.property("overrideCommand", False)
        self.property("updateRemoteUserUID", False)

    def one_container(self, carried: dict[str, Any]) -> None:
        """Write a container of an image or a Dockerfile."""
        if self.container.image is not None:
            image = self.container.image
            self.property("image", image.value, self.why("image", image.written))
            carried.pop("build", None)
        self.workspace()
        self.mounts()
        self.users(carried)
        self.run_args()
        self.security()
        if self.container.init is not None:
            self.property("init", True)
        if self.container.env:
            self.property("containerEnv", {v.value.name: v.value.value for v in self.container.env})

    def preface(self) -> list[str]:
        """The comments before the first line."""
        lines = [f"// Profile {self.plan.profile}. What will not be in force, and why:"]
        lines += [f"// - {_one_line(d.control)}: {_one_line(d.why)}" for d in self.plan.downgrades]
        if len(lines) == 1:
            lines = [f"// Profile {self.plan.profile}."]
        if self.plan.inner is not None:
            lines += [
                f"// The engine says that the network `{self.plan.inner.name}` is not found? "
                f"`{_MAKES_NETWORK}` in this folder makes it, and its gateway."
            ]
        if self.plan.left_out:
            lines.append("// Left out of your devcontainer.json:")
            lines += [f"// - {_one_line(e.item)}: {_one_line(e.why)}" for e in self.plan.left_out]
        return lines

    def property(self, key: str, value: Any, comments: list[str] | None = None) -> None:
        lines = [f"  // {_one_line(comment)}" for comment in comments or ()]
        text = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        self.properties.append([*lines, f"  {json.dumps(key)}: {text}"])

    def listing(self, key: str, items: list[tuple[str, list[str]]]) -> None:
        """A list of strings, a comment above an item where it differs from the one before."""
        lines, before = [f"  {json.dumps(key)}: ["], [""]
        for index, (item, comments) in enumerate(items):
            if comments != before:
                lines += [f"    // {_one_line(comment)}" for comment in comments]
            before = comments
            comma = "," if index < len(items) - 1 else ""
            lines.append(f"    {json.dumps(item, ensure_ascii=False)}{comma}")
        self.properties.append([*lines, "  ]"])

    def why(self, field: str, item: str) -> list[str]:
        reason = self.whys.get((field, item))
        return [f"{reason.decided_by}: {reason.why}"] if reason is not None else []

    def workspace(self) -> None:
        mount = self.container.mounts[0]
        why = self.why("mounts", mount.written)
        self.property("workspaceMount", self.mount(mount.value), why)
        folder = self.container.working_dir
        self.property("workspaceFolder", folder.value if folder is not None else mount.value.target)

    def mounts(self) -> None:
        """Write all other mounts, as a property where the CLI handles them correctly.

        It splits each at its commas, quoted or not, to find the target, and of mounts without a target it
        keeps one: pins of a workspace with a comma in its path would be lost.
        """
        rest = self.container.mounts[1:]
        items = [
            (self.mount(value.value), self.why("mounts", value.written))
            for value in rest
            if not is_tmpfs_flag(value.value)
        ]
        self.mount_flags = [
            (mount_flag(value.value), self.why("mounts", value.written))
            for value in rest
            if is_tmpfs_flag(value.value)
        ]
        if any(char in self.plan.workspace for char in _SEPARATORS):
            self.mount_flags[:0] = [(f"--mount={text}", why) for text, why in items]
        elif items:
            self.listing("mounts", items)

    def mount(self, mount: Mount) -> str:
        """A mount with the workspace's path as a variable, as the CLI fills it in on each machine.

        The CLI puts the bare path into the text, so a path that needs more than quotes around
        its field is written out.
        """
        workspace = self.plan.workspace
        text = mount_text(subpath_mounts.of_other_tools(mount, self.plan, _ID))
        if workspace == "/" or any(char in workspace for char in _SEPARATORS[1:]):
            return text
        for key in ("source", "device"):
            text = text.replace(f"{key}={workspace}", f"{key}={_FOLDER}")
        return text

    def users(self, carried: dict[str, Any]) -> None:
        user = self.container.user
        if user is None:
            return
        why = self.why("user", user.written)
        self.property("containerUser", user.value, why)
        self.property("remoteUser", user.value)
        if user.value[:1].isdigit():
            # The CLI would build an image to change the ids of a user that has no name.
            carried.pop("updateRemoteUserUID", None)
            self.property("updateRemoteUserUID", False)

    def prepare(self, carried: dict[str, Any]) -> None:
        """Write the plan's own preparation, then the project's own first hook."""
        command = shlex.join(self.plan.prepare)
        own = carried.pop("onCreateCommand", None)
        if isinstance(own, list):
            own = shlex.join(str(word) for word in own)
        if isinstance(own, str) and own:
            command += f" && {own}"
        elif own:
            # Its parts run side by side, and none may start before the copy is whole.
            parts = [p if isinstance(p, str) else shlex.join(map(str, p)) for p in own.values()]
            command = " && ".join([command, *parts])
        self.property("onCreateCommand", command, ["the workspace inside is a copy"])

    def run_args(self) -> None:
        items = [(flag.text, self.why(flag.field, flag.item)) for flag in flags(self.container)]
        user = self.container.user
        if user is not None:
            # Not every tool that reads these files knows `containerUser`.
            items.append((f"--user={user.value}", self.why("user", user.written)))
        folder = self.container.working_dir
        if folder is not None:
            why = self.why("working_dir", folder.written)
            items.append((f"--workdir={folder.value}", why))
        items += self.mount_flags
        labels = ["marks the container as ours: `sandboxd status` finds it"]
        for value in self.container.labels:
            text = _FOLDER if value.value.value == self.plan.workspace else value.value.value
            items.append((f"--label={value.value.name}={text}", labels))
        items.append((f"--label={MADE_BY}={EDITOR}", labels))
        if self.plan.inner is not None:
            why = self.why("network", self.plan.inner.name)
            items += [(flag, why) for flag in inner_network.flags(self.plan.inner)]
            # A tool that shows a failed start shows its command line, and so this text.
            items.append((f"--label={NETWORK_HINT}={_MAKES_NETWORK}", _ON_FAILURE))
        reason = ["from your devcontainer.json"]
        items += [(argument, reason) for argument in self.carried.run_args]
        self.listing("runArgs", items)

    def security(self) -> None:
        items = []
        for value in self.container.security_opt:
            option = value.value
            text = f"{option.name}={option.value}"
            comments = self.why("security_opt", value.written)
            if option.name == "seccomp":
                text = f"seccomp={_FOLDER}/{SECCOMP_FILE}"
                comments = [*comments, f"{value.written}, sha256:{_file_digest(option.value)}"]
            items.append((text, comments))
        if items:
            self.listing("securityOpt", items)


def plan_name(plan: Plan) -> str:
    """The name that an editor shows."""
    return f"{plan.workspace.rpartition('/')[2] or 'workspace'} (sandboxd {plan.profile})"


def _file_digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _one_line(text: str) -> str:
    """`text` for a line comment: a line end in a hostile value must not end the comment."""
    return "".join(char if char.isprintable() else "?" for char in text)
