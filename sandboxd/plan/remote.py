"""Lifecycle hooks and their environment, as `sandboxd up` runs them in its sandbox.

A hook is code of the repository, or of its image, and runs inside, if the profile runs such code.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sandboxd.config.values import takes_from_host
from sandboxd.formats.devcontainer import remote as reader
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.remote import AT_ATTACH, AT_START, NO_REMOTE, STAGES, Hook, Port, Remote, over
from sandboxd.plan.plan import Plan
from sandboxd.plan.reasons import LeftOut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.config.model import Setting
    from sandboxd.model.document import Document
    from sandboxd.model.values import Value
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.profiles import Profile
    from sandboxd.syntax.node import Node

_FROM_HOST = "it copies a variable of the host, maybe a secret, into the sandbox"
_TIMES = {AT_START: "at each start", AT_ATTACH: "at each `sandboxd up`"}


def say_hooks(profile: Profile, hooks: tuple[Value[str], ...], notes: Notes) -> tuple[LeftOut, ...]:
    """Note the hooks that will run; return those that will not, each with the reason."""
    refused = []
    for value in sorted(hooks, key=_stage):
        stage = value.origin.key
        source = value.origin.describe() if value.origin.kind in ("feature", "label") else ""
        item = f"{stage}{f' of {source}' if source else ''}: {value.written}"
        why = _objection(profile.name, profile.hooks, value.written)
        if why:
            refused.append(LeftOut(item, why, value.place))
        else:
            when = _TIMES.get(stage, "once for each container")
            notes.reason("hook", item, f"it runs inside, as the sandbox's user, {when}")
    return tuple(refused)


def _stage(value: Value[str]) -> int:
    return STAGES.index(value.origin.key) if value.origin.key in STAGES else len(STAGES)


def _objection(profile: str, runs_hooks: bool, text: str) -> str:
    if not runs_hooks:
        return f"profile `{profile}` runs no code of the repository by itself"
    return _FROM_HOST if takes_from_host(text) else ""


def ports_left(plan: Plan) -> tuple[str, ...]:
    """Sentences about ports of the config that are not forwarded automatically: the reason, and how to forward them."""
    started = ports_of(plan)
    others = (
        *(
            f"{port.text}: not forwarded, `sandboxd up` does not start `{port.service}`"
            for port in plan.remote.ports
            if port not in started
        ),
        *plan.remote.no_ports,
    )
    if plan.runs_hooks:
        return others
    return (
        *(
            f"{port.text}: not forwarded by itself under profile `{plan.profile}`: "
            f"`sandboxd forward {port.text}`"
            for port in started
        ),
        *others,
    )


def ports_of(plan: Plan) -> tuple[Port, ...]:
    """The config's ports that can be forwarded: those of the workspace, and of services that `up` starts."""
    names = {"", *(service.name for service in plan.services)}
    return tuple(port for port in plan.remote.ports if port.service in names)


def of_file(document: Document, plan: Plan) -> Remote:
    """The hooks and settings that the project's own devcontainer.json asks for."""
    root = document.tree.root
    if root is None or root.kind != "object":
        return NO_REMOTE
    folder = _below(plan, _folder(root, plan))
    plan = plan._replace(remote=Remote(folder=folder))
    remote = reader.read(root, "devcontainer.json", _variables(plan))
    return remote._replace(folder=folder, is_written=True)


def with_ports(remote: Remote, wanted: Iterable[Setting[str]]) -> Remote:
    """`remote` with the ports that sandboxd.toml names, in place of those of the config that are the same inside.

    :param wanted: `[network] forward`
    """
    named = [_port(setting.value) for setting in wanted]
    by_inside = {(port.service, port.number): port for port in named}
    own = (by_inside.get((port.service, port.number), port) for port in remote.ports)
    return remote._replace(ports=tuple(dict.fromkeys((*own, *named))))


def _port(text: str) -> Port:
    """The port of a text that `config.values.PORT` matches."""
    service, number, here = "", text, ""
    if not text[0].isdigit():
        service, _, number = text.partition(":")
    number, _, here = number.partition(":")
    return Port(int(number), service=service.lower(), here=int(here or 0))


def is_workspace(document: Document, plan: Plan) -> bool:
    """Whether the config's `workspaceFolder` is the path that the workspace has inside in any case."""
    root = document.tree.root
    workspace = plan.container.working_dir
    if root is None or root.kind != "object" or workspace is None:
        return False
    return _folder(root, plan) == workspace.value


def _folder(root: Node, plan: Plan) -> str:
    """`workspaceFolder` as a path without `..`, '.' where there is none."""
    written = root.get("workspaceFolder")
    return posixpath.normpath(_variables(plan).resolve((written and written.text()) or ""))


def _below(plan: Plan, path: str) -> str:
    """`path` if it lies in the workspace inside, else ''."""
    workspace = plan.container.working_dir
    return path if workspace is not None and path.startswith(f"{workspace.value}/") else ""


def complete(plan: Plan, label: str) -> Remote:
    """All hooks and settings for the plan's container, including those of its image's label.

    :param label: the value of the label ``devcontainer.metadata``; '' without it
    """
    remote, brought = plan.remote, NO_REMOTE
    if label:
        brought = reader.of_label(label, _variables(plan))
        remote = over(brought, remote)
    refused = [
        f"not run: {hook.stage} of {hook.source}: {why}"
        for hook in brought.hooks
        if (why := _why_not(plan, hook)) and not _is_said(plan, hook)
    ]
    refused += [
        f"left out: remoteEnv `{pair.name}` of the image's label: {_FROM_HOST}"
        for pair in brought.env
        if takes_from_host(pair.value)
    ]
    return remote._replace(
        hooks=tuple(hook for hook in remote.hooks if not _why_not(plan, hook)),
        env=tuple(pair for pair in remote.env if not takes_from_host(pair.value)),
        refused=tuple(refused),
    )


def _why_not(plan: Plan, hook: Hook) -> str:
    words = (word for command in hook.commands for word in command.words)
    return _objection(plan.profile, plan.runs_hooks, " ".join(words))


def _is_said(plan: Plan, hook: Hook) -> bool:
    """Whether the plan already notes that this hook is refused: it does if it knew the label."""
    return any(refused.item.startswith(f"{hook.stage} of ") for refused in plan.hooks_refused)


def _variables(plan: Plan) -> Variables:
    """The variables that a plan can fill in; none of the host's environment."""
    workspace = plan.container.working_dir
    folder = plan.remote.folder or (workspace.value if workspace is not None else None)
    return Variables(workspace=plan.workspace, container_workspace=folder)
