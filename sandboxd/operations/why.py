"""Finds what blocked the last command that failed in a sandbox, by what was seen of it; nothing is run again."""

from __future__ import annotations

import contextlib
import datetime
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.errors import EnvironmentFailure, SandboxdError, UsageError
from sandboxd.operations import _plan
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import WhyOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandboxd.engine.client import Engine, Summary
    from sandboxd.model.engine_answers import Inspected
    from sandboxd.observe.counters import Counters
    from sandboxd.observe.diagnosis.case import Attempt, Sandbox
    from sandboxd.observe.diagnosis.diagnose import Diagnosis
    from sandboxd.operations.request import Request
    from sandboxd.plan.plan import Plan
    from sandboxd.state.failed_command import FailedCommand

NEEDS_FACTS = True

_LATE_SECONDS = 2.0
"""How long after the command an event of the gateway still counts: equal attempts within a second are one event, which
comes at the end of that second.
"""


class Cause(NamedTuple):
    """What blocked a command, as far as it is known."""

    command: tuple[str, ...]
    exit_code: int
    age: float
    """Seconds since it ended."""
    is_same: bool
    """Whether the sandbox has run since then without a new start."""
    diagnosis: Diagnosis


def serve(request: Request) -> Cause:
    """Find what blocked the last command that failed, with `WhyOptions`.

    :raises UsageError: no command of this sandbox is known to have failed
    :raises EnvironmentFailure: there is no such sandbox
    """
    import time

    from sandboxd.observe.diagnosis.diagnose import diagnose

    options = request.read_options(WhyOptions)
    container, failed = _container(request), _failed(request)
    inspected = request.engine.inspect(container.id)
    sandbox = _in_force(inspected, _plan_of(request, container.id), request.environ)._replace(
        is_root=_is_root(failed.user or (inspected.get("Config") or {}).get("User") or ""),
        attempts=_attempts(request, failed),
        counters=_counted(inspected, options.before),
    )
    is_same = _started(inspected) <= failed.ended
    return Cause(
        failed.command,
        failed.exit_code,
        max(time.time() - failed.ended, 0.0),
        is_same,
        diagnose(_failure(failed, container, inspected), sandbox),
    )


def decode(document: Mapping[str, Any]) -> Cause:
    """The `Cause` in a document that `wire.encode` made."""
    from sandboxd.observe.diagnosis.case import Answer
    from sandboxd.observe.diagnosis.diagnose import Diagnosis

    diagnosis = document["diagnosis"]
    answers = tuple(Answer(**answer) for answer in diagnosis["answers"])
    return Cause(
        tuple(document["command"]),
        document["exit_code"],
        document["age"],
        document["is_same"],
        Diagnosis(diagnosis["outcome"], answers),
    )


def keep_failure(
    environ: Mapping[str, str],
    directory: str,
    name: str,
    command: Sequence[str],
    user: str,
    exit_code: int,
    output: str,
    began: float,
) -> str:
    """Store a command that failed just now in the sandbox `name`, for `serve`; returns the sandbox's identity.

    :param user: the user that was asked for; '' for the sandbox's own
    :param output: the end of its output, without terminal sequences
    :param began: in seconds since 1970
    """
    import time

    from sandboxd.state import failed_command

    sandbox = _identity(directory, name)
    words = tuple(command)
    failure = failed_command.FailedCommand(
        sandbox, directory, words, exit_code, output, began, time.time(), user
    )
    failed_command.keep(environ, failure)
    return sandbox


def count(engine: Engine, directory: str, name: str) -> Counters | None:
    """What the kernel counted so far for the running sandbox `name`; None if that cannot be read.

    :raises ContainerGone: no such sandbox runs
    """
    from sandboxd.life.find import locate
    from sandboxd.observe import counters

    container = locate(engine, project_folder(directory), name)
    return counters.read(engine.inspect(container.id))


def _identity(directory: str, name: str) -> str:
    from sandboxd.model.sandbox_id import sandbox_id

    return sandbox_id(os.path.realpath(project_folder(directory)), name)


def _container(request: Request) -> Summary:
    from sandboxd.life import find

    directory = project_folder(request.directory)
    present = find.project_containers(request.engine, directory, request.name)
    if not present:
        raise EnvironmentFailure(
            f"`{directory}` has no sandbox", find.how_to_start(directory, request.name, [])
        )
    return present[0]


def _failed(request: Request) -> FailedCommand:
    from sandboxd.state import failed_command

    sandbox = _identity(request.directory, request.name)
    failed = failed_command.recall(request.environ, sandbox)
    if failed is None:
        raise UsageError(
            "no command of this sandbox is known to have failed",
            "run it by `sandboxd exec`, or here: `sandboxd why -- COMMAND`",
        )
    return failed


def _failure(failed: FailedCommand, container: Summary, inspected: Inspected) -> Any:
    from sandboxd.model.labels import PROJECT
    from sandboxd.model.sandbox_id import workspace_of
    from sandboxd.observe.diagnosis.case import Failure
    from sandboxd.plan.mounts import folder_inside

    own = (inspected.get("Config") or {}).get("WorkingDir") or ""
    return Failure(
        failed.command,
        failed.exit_code,
        failed.output,
        failed.began,
        failed.ended,
        folder_inside(failed.directory, workspace_of(container.labels[PROJECT]), own),
    )


def _plan_of(request: Request, container: str) -> Plan | None:
    """The plan by which the sandbox was started; None if the config does not lead to one any more."""
    with contextlib.suppress(SandboxdError):
        return _plan.as_started(
            request.directory, request.environ, container, request.facts, request.name
        )
    return None


def _in_force(inspected: Inspected, plan: Plan | None, environ: Mapping[str, str]) -> Sandbox:
    """What the engine says of the container, with the plan's reasons."""
    from sandboxd.model.labels import EGRESS
    from sandboxd.model.values import Origin, Value
    from sandboxd.observe import inspection
    from sandboxd.observe.diagnosis.case import Sandbox

    live, state = inspection.container(inspected), inspected.get("State") or {}
    size = (inspected.get("HostConfig") or {}).get("ShmSize") or 0
    if size:
        live = live._replace(shm_size=Value(str(size), Origin("engine", live.name)))
    network = "open"
    if live.label(EGRESS):
        network = "allow"
    elif live.network is not None and live.network.value == "none":
        network = "none"
    is_gvisor = plan.gvisor if plan is not None else live.uses_gvisor()
    return Sandbox(
        live,
        plan.profile if plan is not None else "",
        is_gvisor,
        network,
        plan.reasons if plan is not None else (),
        _may_add(plan, environ) if plan is not None else (),
        refused_calls=frozenset() if is_gvisor else _refused_calls(inspected),
        # An engine says it of a sandbox that goes on, too, once the kernel has ended any process of it.
        was_out_of_memory=not state.get("Running") and bool(state.get("OOMKilled")),
    )


def _may_add(plan: Plan, environ: Mapping[str, str]) -> tuple[str, ...]:
    from sandboxd.plan import capabilities, profiles
    from sandboxd.policy.in_force import in_force

    with contextlib.suppress(SandboxdError):
        return capabilities.limit(profiles.load(plan.profile), in_force(environ)).cap_may_add
    return ()


def _refused_calls(inspected: Inspected) -> frozenset[str]:
    """The calls that the container's seccomp profile refuses whatever their arguments are."""
    from sandboxd.formats import seccomp
    from sandboxd.model.seccomp import SeccompProfile
    from sandboxd.text import SourceText

    for option in (inspected.get("HostConfig") or {}).get("SecurityOpt") or ():
        name, _, text = option.replace(":", "=", 1).partition("=")
        if name == "seccomp" and text.startswith("{"):
            for _, profile in seccomp.subjects(seccomp.parse(SourceText(name, text))):
                if isinstance(profile, SeccompProfile):
                    return profile.refused_calls()
    return frozenset()


def _attempts(request: Request, failed: FailedCommand) -> tuple[Attempt, ...]:
    """The names that the gateway did not let through, or did not reach, while the command ran."""
    from sandboxd.observe.diagnosis.case import Attempt
    from sandboxd.operations.egress import gateway_of
    from sandboxd.operations.egress.log import log

    try:
        events = log(
            request.directory,
            request.environ,
            name=request.name,
            find=lambda workspace: gateway_of(request, workspace),
        )
    except SandboxdError:
        return ()
    last = failed.ended + _LATE_SECONDS
    return tuple(
        Attempt(row.name, row.port, row.reason, row.words, row.detail, row.rule, row.command)
        for row in reversed(events.rows)
        if row.outcome == "denied" and row.last >= failed.began and row.first <= last
    )


def _counted(inspected: Inspected, before: Sequence[str]) -> Counters | None:
    from sandboxd.observe import counters

    now = counters.read(inspected) if before else None
    return now.since(counters.Counters(*map(int, before))) if now is not None else None


def _is_root(user: str) -> bool:
    return user.partition(":")[0] in ("", "0", "root")


def _started(inspected: Inspected) -> float:
    """When the container was started, in seconds since 1970; 0.0 if the engine does not say."""
    try:
        text = str((inspected.get("State") or {}).get("StartedAt"))
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
