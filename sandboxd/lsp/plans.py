"""The plan of the project that a document belongs to, for hovers and lenses."""

from __future__ import annotations

import asyncio
import os
from typing import NamedTuple

from sandboxd.config.reading import nearest
from sandboxd.errors import SandboxdError
from sandboxd.files import CONFIG_NAME
from sandboxd.findings import Place
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import OpenDocument
from sandboxd.markup import in_markdown
from sandboxd.plan import generate
from sandboxd.plan.plan import Plan
from sandboxd.plan.reasons import Reason
from sandboxd.project import Project
from sandboxd.syntax.node import Node, Tree, readable, walk


class Reasons(NamedTuple):
    """The explanation of a setting in a generated file or a sandboxd.toml."""

    place: Place
    lines: list[str]


# Keys of the two kinds of files, and the fields of `Container` that they decide.
_FIELDS = {
    "profile": (),
    "runtime": ("runtime",),
    "image": ("image",),
    "user": ("user",),
    "containerUser": ("user",),
    "remoteUser": ("user",),
    "capabilities": ("cap_add", "cap_drop"),
    "capAdd": ("cap_add",),
    "devices": ("gpus",),
    "network": ("network", "egress"),
    "workspace": ("mounts",),
    "environment": ("env",),
    "containerEnv": ("env",),
    "mounts": ("mounts",),
    "workspaceMount": ("mounts",),
    "securityOpt": ("security_opt",),
    "init": ("init",),
}

# The controls whose loss is said at a key, beside those that are named as its fields.
_LOSSES = {"runtime": ("gVisor", "gVisor build"), "devices": ("GPU",)}


def workspace_of(path: str) -> str | None:
    """The folder of the nearest sandboxd.toml; None if there is none."""
    config = nearest(os.path.dirname(path)) if path.startswith("/") else None
    return os.path.dirname(config) if config is not None else None


def is_generated(document: OpenDocument) -> bool:
    return generate.is_generated(document.source)


async def plan_of(context: Context, path: str) -> Plan | None:
    """The plan of the saved config; None if there is none."""
    plan = await _plan_or_why_not(context, path)
    return plan if isinstance(plan, Plan) else None


async def _plan_or_why_not(context: Context, path: str) -> Plan | SandboxdError | None:
    workspace = workspace_of(path)
    if workspace is None:
        return None
    host = context.judgements.host

    def make() -> Plan | SandboxdError:
        try:
            return Project.open(workspace, context.environ).plan(host)
        except SandboxdError as error:
            return error

    return await asyncio.to_thread(make)


async def reasons_at(context: Context, document: OpenDocument, at: int) -> Reasons | None:
    """The reasons of the plan for the setting at the offset `at`; None where there are none."""
    path = document.source.path
    is_config = os.path.basename(path) == CONFIG_NAME
    if not is_config and not is_generated(document):
        return None
    member = _member_at(document.parsed.tree, at)
    if member is None:
        return None
    key, node = member
    plan = await _plan_or_why_not(context, path)
    if plan is None:
        return None
    if isinstance(plan, SandboxdError):
        if not is_config or key not in _FIELDS:
            return None
        refusal = [
            readable(f"No sandbox: {plan.message}", 500),
            readable(f"Hint: {plan.hint}", 500),
        ]
        return Reasons(Place(path, node.span), ["\n\n".join(map(in_markdown, refusal))])
    value = next(
        (str(n.value) for n in walk(node) if n.span.start <= at < n.span.end and n.value), ""
    )
    chosen = [r for r in plan.reasons if _is_about(r, key, value)]
    lines = [f"`{r.item}`: decided by **{r.decided_by}**. {r.why}" for r in chosen[:12]]
    if key == "profile":
        lines.insert(0, f"Profile `{plan.profile}`; effective:")
        lines += [f"`{r.field}`: `{r.item}` ({r.decided_by})" for r in plan.reasons[:20]]
    controls = (*_FIELDS.get(key, ()), *_LOSSES.get(key, ()))
    lines += [
        f"Not in force: {d.control}. {d.why}{f'; {d.fix}' if d.fix else ''}"
        for d in plan.downgrades
        if d.control in controls
    ]
    if not lines:
        return None
    return Reasons(Place(path, node.span), ["\n\n".join(map(in_markdown, lines))])


def _is_about(reason: Reason, key: str, value: str) -> bool:
    if key == "runArgs":
        words = value.lstrip("-").replace("=", " ").split()
        return any(len(word) > 2 and word in f"{reason.field} {reason.item}" for word in words[-1:])
    return reason.field in _FIELDS.get(key, ())


def _member_at(tree: Tree, at: int) -> tuple[str, Node] | None:
    """The top-level property at `at`."""
    for member in tree.root.members if tree.root is not None else ():
        spans = [member.key.span, *(node.span for node in walk(member.value))]
        if any(span.start <= at <= span.end for span in spans):
            return str(member.key.value), member.value
    return None
