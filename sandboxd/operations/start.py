"""Start a project's sandbox as planned; one that runs as planned already is left as it is."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from typing import TYPE_CHECKING

from sandboxd.engine.interruption import interruptible, lines, never, silent
from sandboxd.engine.timeline import Timeline, span
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import commits
from sandboxd.model.control_name import ControlName
from sandboxd.model.sandbox_id import check_name, option_of, sandbox_id
from sandboxd.operations import (
    _basis,
    _copy,
    _credentials,
    _groups,
    _plan,
    _start_hooks,
    _start_words,
    gateway,
    gateway_start,
    given_at_start,
    recording,
    started,
)
from sandboxd.operations._folder import project_folder
from sandboxd.operations._news import news
from sandboxd.operations.keeping import NOTHING_KEPT, Keeping
from sandboxd.operations.start_options import WITHOUT_OPTIONS, StartOptions
from sandboxd.state import given_rights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.credentials.resolve import Resolved
    from sandboxd.engine.client import Engine
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.host.facts import HostFacts
    from sandboxd.life.starting import Running
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.request import Request
    from sandboxd.operations.started import Started
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.reasons import Downgrade
    from sandboxd.plan.recipe import Recipe
    from sandboxd.policy.rights import Rights
    from sandboxd.project import Project

NEEDS_FACTS = True


def serve(request: Request) -> Started:
    """Run `start` with `StartOptions`; the result has the times of its parts."""
    timeline = Timeline()
    with timeline.current():
        result = _serve(request)
    return result._replace(timing=timeline.timing())


def _serve(request: Request) -> Started:
    options = request.read_options(StartOptions)
    check_name(options.name)
    return start(
        request.engine,
        request.directory,
        request.environ_of_caller(),
        options,
        request.keeping,
        facts=request.facts,
        progress=request.progress,
        cancel=request.cancel,
    )


def start(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    options: StartOptions = WITHOUT_OPTIONS,
    keeping: Keeping = NOTHING_KEPT,
    *,
    facts: Facts = None,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Started:
    """Make the sandbox of the project at `directory` run. A start that fails leaves nothing behind.

    The failure of a lifecycle hook is no failure of the start: the sandbox runs on, and the result names the hook.

    An image that has to be built is built first.

    :param environ: the user's environment, which leads to the policy, the grants, the secrets and the builder's
        settings
    :raises UsageError: the config is not valid, or it needs a grant that was not given, or that was revoked before
        the container started
    :raises RecordFailure: the use of `allow_runc` cannot be recorded
    :raises EnvironmentFailure: the engine, its runtime or the builder fails, or the secret of a required credential
        cannot be read
    """
    from sandboxd.life import cache_uses, granted
    from sandboxd.life.pull import pull_missing
    from sandboxd.life.up_down import up
    from sandboxd.plan.grants import Grants

    cancel = cancel or never()
    engine = interruptible(engine, cancel)
    tell = lines(progress, cancel)
    _start_hooks.require_allowed(options, environ)
    before = _basis.read(environ)
    plan, host, project, resolved = _resolved(directory, environ, options, facts, keeping)
    recipe = plan.recipe
    plan_again = functools.partial(project.plan, host, Grants(allow_runc=options.allow_runc))
    allowed = functools.partial(_basis.require_same, before, project, plan, plan_again)
    if plan.egress is not None:
        _require_gateway(host)
    if options.pull:
        pull_missing(engine, plan, environ, progress, cancel)
    if recipe is not None and (options.build or not engine.has_image(recipe.tag)):
        _build(engine, plan.workspace, recipe, environ, progress, cancel)
    rights, gateway_image = _rights(plan, environ)
    # Those of an earlier start must not follow what this one sends to the same gateway.
    keeping.keep_credentials(plan.sandbox, "", None)
    sent = _credentials.for_gateway(plan, resolved)
    cache_uses.note_use(environ, [p.volume for p in plan.lasting if p.kind == "caches"])
    read = functools.partial(_read, plan, environ, project.config.digest, allowed)
    engine_id = (host.engine.id if host.engine is not None else "") or ""
    network = plan.container.network
    is_open = plan.egress is None and (network is None or network.value != "none")
    with (
        _groups.hold(environ, project) as save_groups,
        given_at_start.note_open(engine, project, engine_id, tell) as note_open,
    ):

        def before_it_runs() -> None:
            save_groups()
            if is_open:
                note_open()
            allowed()

        running = up(
            engine,
            plan,
            tell,
            cancel.check,
            gateway_image,
            sent,
            rights and rights.gateway,
            options.replace,
            functools.partial(gateway_start.giving, environ, plan.sandbox, read, waiting=tell),
            before_it_runs,
        )
    keeping.keep_credentials(plan.sandbox, running.id, resolved and resolved.credentials)
    serials = resolved.serials if resolved is not None else ()
    given_at_start.note(project, running.id, rights, engine_id, serials, tell, is_open=is_open)
    _follow_since(engine, plan, environ, rights, serials, allowed)
    granted.keep(environ, plan.sandbox, running.id, allow_runc=options.allow_runc)
    has_ssh = keeping.keep_ssh(plan.sandbox, running.id, resolved and resolved.ssh)
    lost = (
        *plan.downgrades_of_up(),
        *_credentials.downgrades(resolved),
        *_credentials.without_ssh(resolved, has_ssh, plan.sandbox, environ),
        *running.lost,
        *_record(environ, plan, host, running, resolved),
    )
    _keep(environ, plan, running, keeping, tell)
    if keeping.register is None:
        commits.exchange(engine, environ, running.inspected, tell)
    if plan.synced is not None:
        _copy.fill(engine, plan, environ, running.id, tell, is_kept=keeping.register is not None)
    failure = _start_hooks.run(engine, running, plan, environ, options, progress, cancel)
    is_kept = keeping.register is not None
    result = started.of(plan, running, options.name, is_kept=is_kept)._replace(
        downgrades=lost,
        news=news(environ, plan.sandbox, lost),
        opened=_opened(plan, options.name, keeping),
    )
    if failure is None:
        return result
    problem, hint = _start_words.of_hook(failure, option_of(options.name), names_why=True)
    return result._replace(problem=problem, hint=hint)


def _require_gateway(host: HostFacts) -> None:
    """Refuse an engine that runs no gateway before its image is made, which takes half a minute.

    :raises EnvironmentFailure: it runs none
    """
    from sandboxd.host.platforms import why_no_gateway

    if (without := why_no_gateway(host)) is not None:
        raise EnvironmentFailure(*without)


def _rights(plan: Plan, environ: Mapping[str, str]) -> tuple[Rights | None, str]:
    """What a sandbox that is started as planned may have now, and the gateway image that the policy names.

    None without a gateway.

    :raises UsageError: the policy, the approvals or the credentials cannot be read
    """
    if plan.egress is None:
        return None, ""
    from sandboxd.policy.in_force import in_force
    from sandboxd.project.rights import rights_of_plan

    return rights_of_plan(plan, environ, time.time()), in_force(environ).gateway_image


def _read(
    plan: Plan, environ: Mapping[str, str], digest: str, allowed: Callable[[], None]
) -> tuple[Rights, str]:
    """What a sandbox that is started as planned may have now, and the digest of the config that says so.

    :raises UsageError: it may not be started as planned any more
    """
    from sandboxd.project.rights import rights_of_plan

    allowed()
    return rights_of_plan(plan, environ, time.time()), digest


def _follow_since(
    engine: Engine,
    plan: Plan,
    environ: Mapping[str, str],
    given: Rights | None,
    serials: tuple[tuple[str, str], ...],
    allowed: Callable[[], None],
) -> None:
    """Give or take back what changed while the gateway was made.

    :param serials: of the secrets that were sent, as `Resolved.serials`
    :raises UsageError: what holds now cannot be read
    :raises EnvironmentFailure: the gateway does not take it
    """
    if given is None:
        return
    with contextlib.suppress(UsageError):
        allowed()
        is_sent = all((each.account, each.serial) in serials for each in given.credentials)
        if is_sent and _has_all(plan, environ, given) and _rights(plan, environ)[0] == given:
            return
    gateway.follow(engine, plan.sandbox, environ)


def _has_all(plan: Plan, environ: Mapping[str, str], given: Rights) -> bool:
    """Whether the gateway has what it was given; not where a look took it for that of a sandbox that is stopped."""
    record = given_rights.recall(environ, plan.sandbox)
    if record is None or record.gateway is None or given.gateway is None:
        return False
    return record.gateway.rules == given.gateway.policy.rules


def _resolved(
    directory: str,
    environ: Mapping[str, str],
    options: StartOptions,
    facts: Facts,
    keeping: Keeping,
) -> tuple[Plan, HostFacts, Project, Resolved | None]:
    """As `_planned`, with the secrets. Keys that a sandbox got by an earlier start go where this one gives none."""
    try:
        plan, host, project = _planned(directory, environ, options, facts)
        resolved = _credentials.resolve(plan, environ)
    except UsageError:
        folder = os.path.realpath(project_folder(directory))
        keeping.keep_ssh(sandbox_id(folder, options.name), "", None)
        raise
    if resolved is None or resolved.ssh is None:
        keeping.keep_ssh(plan.sandbox, "", None)
    return plan, host, project, resolved


def _planned(
    directory: str, environ: Mapping[str, str], options: StartOptions, facts: Facts
) -> tuple[Plan, HostFacts, Project]:
    """The plan, the host that it is for, and its project; a refusal is recorded, and a weak start before it begins."""
    from sandboxd.plan.grants import Grants
    from sandboxd.policy import in_force

    in_force.require(environ)
    grants = Grants(allow_runc=options.allow_runc)
    try:
        with span("ours", "plan"):
            plan, host, project = _plan.for_start(directory, environ, grants, facts, options.name)
    except UsageError as error:
        sandbox = sandbox_id(os.path.realpath(project_folder(directory)), options.name)
        recording.refused(environ, sandbox, error)
        raise
    if options.allow_runc:
        recording.before_weak_start(environ, plan.sandbox)
    if options.secrets:
        recording.before_variables(environ, plan.sandbox, options.secrets)
    return plan, host, project


def _record(
    environ: Mapping[str, str],
    plan: Plan,
    host: HostFacts,
    running: Running,
    resolved: Resolved | None,
) -> tuple[Downgrade, ...]:
    """Record a start that made something run; what a record that failed takes away."""
    from sandboxd.plan.reasons import Downgrade

    if running.how == "already running":
        return ()
    missing = [str(each.name) for each in resolved.missing] if resolved is not None else []
    problem = recording.started(environ, plan, host, running, missing)
    return (Downgrade(ControlName.RECORD, problem),) if problem else ()


def _keep(
    environ: Mapping[str, str],
    plan: Plan,
    running: Running,
    keeping: Keeping,
    tell: Callable[[str], None],
) -> None:
    """Have a daemon keep the workspace, and say what it would have mended where there is none."""
    from sandboxd.ipc.announce import announce
    from sandboxd.plan import generate

    is_moved = _names_other_addresses(plan, environ)
    if keeping.register is not None:
        # The plan that a daemon keeps is about the container, what its start was granted, and its image.
        keeping.register(plan.workspace, is_moved or running.how != "already running")
        return
    announce(environ, plan.workspace, keeps=generate.is_there(plan.workspace))
    if is_moved:
        tell(
            "stale: the generated files name addresses that the engine no longer gives this project"
        )
        tell("  hint: `sandboxd generate` writes them again, before an editor starts from them")


def _opened(plan: Plan, name: str, keeping: Keeping) -> tuple[str, ...]:
    """The ports that a daemon opens: those of the sandbox without a name."""
    from sandboxd.plan.remote import ports_of

    own = ports_of(plan) if plan.runs_hooks and not name else ()
    return keeping.wait_for_ports(plan.workspace, own) if own else ()


def _names_other_addresses(plan: Plan, environ: Mapping[str, str]) -> bool:
    """Whether generated files are there, and `plan` was made for another subnet than the network has now."""
    from sandboxd.plan import generate
    from sandboxd.plan.inner_network import inner_network
    from sandboxd.state.subnets import subnet_of

    if plan.inner is None or not generate.is_there(plan.workspace):
        return False
    return plan.inner != inner_network(plan.inner.name, subnet_of(environ, plan.workspace))


def _build(
    engine: Engine,
    workspace: str,
    recipe: Recipe,
    environ: Mapping[str, str],
    progress: Progress,
    cancel: Cancel,
) -> None:
    from sandboxd.life.build import build
    from sandboxd.policy.in_force import in_force

    _require_grant(workspace, recipe, environ)
    proxy = in_force(environ).network_proxy
    with span("build", "image"):
        build(engine, recipe, environ, lines(progress, cancel), cancel.check, proxy)
    # A build takes minutes, and what was revoked meanwhile is not to run.
    _require_grant(workspace, recipe, environ)


def _require_grant(workspace: str, recipe: Recipe, environ: Mapping[str, str]) -> None:
    """:raises UsageError: the user does not trust what the image is built from"""
    from sandboxd.policy import floor, trust

    forbidden = floor.load(environ)
    if forbidden.no_trust or not trust.is_granted(environ, workspace, recipe.digest, trust.BUILD):
        raise UsageError(
            f"the image is built from {recipe.sources()}, which runs commands of the repository "
            "outside of the sandbox",
            f"`{forbidden.path_of('trust')}` forbids to trust it; {recipe.way_around()} instead"
            if forbidden.no_trust
            else f"look at it, then run `sandboxd trust add`; or {recipe.way_around()}",
        )
