"""Start a project's sandbox as planned, or leave it alone when it runs like that already."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.errors import UsageError
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.life.timeline import Timeline, span
from sandboxd.operations import _credentials, _groups, _plan, _start_words, recording
from sandboxd.operations._folder import project_folder
from sandboxd.operations._news import news
from sandboxd.operations.interruption import Step, interruptible, lines, never, silent
from sandboxd.operations.request import open_no_port, serve_no_ssh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.egress.broker_wire import Credentials
    from sandboxd.engine.client import Engine
    from sandboxd.life.timeline import Timing
    from sandboxd.life.up_down import How, Replace
    from sandboxd.operations._plan import Facts
    from sandboxd.operations.interruption import Cancel, Progress
    from sandboxd.operations.request import Request, WaitForPorts
    from sandboxd.plan.plan import Downgrade, Plan
    from sandboxd.plan.recipe import Recipe
    from sandboxd.ssh_agent.choice import Choice

NEEDS_FACTS = True


class Options(TypedDict):
    """The options of `serve`."""

    name: str
    """Of the sandbox; '' for the one without."""
    allow_runc: bool
    """The user typed `--allow-runc`. Other grants are read from the user's own state."""
    replace: str
    """``container``: make it anew though it would do; ``copy``: its private copy, too; '' for neither."""
    rebuild: bool
    """Build the image although it is there."""
    hooks: bool
    """Run the lifecycle hooks that are due."""
    until_ready: bool
    """Leave those behind `waitFor` to the next start."""
    secrets: dict[str, str]
    """Values that the user gives to hooks and commands inside."""
    dotfiles: str
    """A repository of the user's to install inside, '' for none."""
    environ: dict[str, str]
    """The caller's environment, for the programs that build an image and for secrets."""


class Started(NamedTuple):
    """The running sandbox. `runtime` is '' for the engine's default one."""

    container: str
    """Its id."""
    name: str
    how: How
    workspace: str
    profile: str
    runtime: str
    downgrades: tuple[Downgrade, ...]
    """Controls that the plan wants and this machine does not have."""
    news: tuple[Downgrade, ...] = ()
    """Those that the last start of the project did not name."""
    problem: str = ""
    """The lifecycle hook that failed, or the services that do not run as others need them; '' for none."""
    hint: str = ""
    left_out: tuple[str, ...] = ()
    """Requests of a hand-written devcontainer.json that the sandbox does not get, as they are written there."""
    stand_ins: tuple[str, ...] = ()
    """Files and folders that were made in the workspace for it, relative to that."""
    stand_ins_stay: bool = False
    """Whether they outlast the sandbox: generated files are there, which name them."""
    ports: tuple[str, ...] = ()
    """Those of the config that no daemon opens, as `forward` takes them; hostile text."""
    gvisor: bool = False
    """Whether its runtime is gVisor."""
    timing: Timing | None = None
    """The times of the start's parts, where a command asked for them."""
    addresses: tuple[str, ...] = ()
    """Of `ports`, each where `forward` opens it if nothing else is there."""
    opened: tuple[str, ...] = ()
    """Ports of the config that a daemon opens, each with its address or why it has none; hostile text."""
    ports_left: tuple[str, ...] = ()
    """Those that nobody opens by itself, with the reason; hostile text."""


class SpanDocument(TypedDict):
    """`life.timeline.Span` as JSON."""

    part: str
    name: str
    began: float
    ended: float
    depth: int
    is_beside: bool


class TimingDocument(TypedDict):
    """`life.timeline.Timing` as JSON."""

    milliseconds: float
    parts: dict[str, float]
    spans: list[SpanDocument]


class StartedDocument(TypedDict):
    """`Started` as JSON."""

    container: str
    name: str
    how: How
    workspace: str
    profile: str
    runtime: str
    downgrades: list[dict[str, str]]
    """The fields of `plan.plan.Downgrade`."""
    news: list[dict[str, str]]
    problem: str
    """The lifecycle hook that failed, or services that do not run, '' for none; the sandbox runs."""
    hint: str
    left_out: list[str]
    stand_ins: list[str]
    stand_ins_stay: bool
    ports: list[str]
    gvisor: bool
    timing: TimingDocument | None
    """None where another operation started it: `agent`."""
    addresses: list[str]
    opened: list[str]
    ports_left: list[str]


def serve(request: Request) -> Started:
    """`start` with `Options`, and what it spent its time on."""
    timeline = Timeline()
    with timeline.current():
        started = _serve(request)
    return started._replace(timing=timeline.timing())


def _serve(request: Request) -> Started:
    return start(
        request.engine,
        request.directory,
        request.environ_of_caller(),
        name=request.name,
        allow_runc=request.flag("allow_runc"),
        replace=_replace(request.optional_text("replace") or ""),
        rebuild=request.flag("rebuild"),
        hooks=request.flag("hooks"),
        until_ready=request.flag("until_ready"),
        secrets=request.variables("secrets"),
        dotfiles=request.optional_text("dotfiles") or "",
        facts=request.facts,
        register=request.register,
        keep_credentials=request.keep_credentials,
        keep_ssh=request.keep_ssh,
        wait_for_ports=request.wait_for_ports,
        progress=request.progress,
        cancel=request.cancel,
    )


def _replace(text: str) -> Replace | None:
    """:raises InvalidParams: it is neither empty nor what can be made anew"""
    if text == "container":
        return "container"
    if text == "copy":
        return "copy"
    if text:
        raise InvalidParams(f"`{text}` is nothing that can be made anew")
    return None


def start(
    engine: Engine,
    directory: str,
    environ: Mapping[str, str],
    *,
    name: str = "",
    allow_runc: bool = False,
    replace: Replace | None = None,
    rebuild: bool = False,
    hooks: bool = True,
    until_ready: bool = False,
    secrets: Mapping[str, str] | None = None,
    dotfiles: str = "",
    facts: Facts = None,
    register: Callable[[str, bool], None] | None = None,
    keep_credentials: Callable[[str, Credentials | None], None] = _credentials.keep_none,
    keep_ssh: Callable[[str, Choice | None], bool] = serve_no_ssh,
    wait_for_ports: WaitForPorts = open_no_port,
    progress: Progress = silent,
    cancel: Cancel | None = None,
) -> Started:
    """Make the sandbox of the project at `directory` run; nothing is left of a start that fails.

    A lifecycle hook that fails is no such failure: the sandbox goes on running, and the result names it.

    An image that has to be built is built first.

    :param environ: of the user: the policy, the grants, the secrets and the builder's settings come from there
    :param name: of the sandbox, where several work on the project; '' for the one without
    :param allow_runc: the user lets hardened runc run what needs gVisor
    :param replace: what is made anew though it would do; the work in it is kept first
    :param rebuild: build the image although it is there
    :param hooks: run the lifecycle hooks that are due, once the sandbox runs
    :param until_ready: of those, leave what comes behind `waitFor` to the next start
    :param secrets: values that hooks, and commands until the next start, get inside; their names are told
    :param dotfiles: a repository of the user's whose files are installed inside, '' for none
    :param register: has a daemon keep the workspace, which is to be checked and generated again or not; None: one
        that runs is told
    :param keep_credentials: has a daemon remember the secrets of a workspace, or forget them
    :param keep_ssh: has a daemon give the sandbox the keys that are chosen; whether it does
    :param wait_for_ports: has a daemon open the ports of the config, and says where
    :raises UsageError: the config is not valid, or it needs a grant that was not given
    :raises RecordFailure: `allow_runc` cannot be recorded
    :raises EnvironmentFailure: the engine, its runtime or the builder cannot, or a credential is required and
        its secret cannot be had
    """
    from sandboxd.life import cache_uses, granted
    from sandboxd.life.dotfiles import with_dotfiles
    from sandboxd.life.hooks import keep_environment, said_of_secrets, settle
    from sandboxd.life.hooks import run as run_hooks
    from sandboxd.life.hooks_in_container import InContainer
    from sandboxd.life.up_down import up
    from sandboxd.model.remote import NO_REMOTE
    from sandboxd.model.sandbox_id import option_of
    from sandboxd.plan import generate
    from sandboxd.plan.grants import Grants
    from sandboxd.plan.plan import Downgrade
    from sandboxd.plan.remote import ports_left, ports_of

    cancel = cancel or never()
    engine = interruptible(engine, cancel)
    tell = lines(progress, cancel)
    if secrets or dotfiles:
        _refuse_by_policy(environ, "--env-file" if secrets else "--dotfiles")
    if dotfiles:
        with_dotfiles(NO_REMOTE, dotfiles)
    try:
        with span("ours", "plan"):
            plan, host, project = _plan.for_start(
                directory, environ, Grants(allow_runc=allow_runc), facts, name
            )
    except UsageError as error:
        recording.refused(environ, project_folder(directory), error)
        raise
    if allow_runc:
        recording.before_weak_start(environ, plan.workspace)
    resolved = _credentials.resolve(plan, environ)
    if plan.recipe is not None and (rebuild or not engine.has_image(plan.recipe.tag)):
        _build(engine, plan.workspace, plan.recipe, environ, progress, cancel)
    plan, gateway_image = _plan.with_approvals(plan, environ)
    keep_credentials(plan.sandbox, resolved and resolved.credentials)
    has_ssh = keep_ssh(plan.sandbox, resolved and resolved.ssh)
    given = _credentials.for_gateway(plan, resolved)
    cache_uses.note_use(environ, [p.volume for p in plan.lasting if p.kind == "caches"])
    with _groups.hold(environ, project):
        running = up(engine, plan, tell, cancel.check, gateway_image, given, replace)
    granted.keep(environ, plan.sandbox, running.id, allow_runc=allow_runc)
    lost = (
        *plan.downgrades_of_up(),
        *_credentials.downgrades(resolved),
        *_credentials.without_ssh(resolved, has_ssh),
        *running.lost,
    )
    if running.how != "already running" and (
        problem := recording.started(environ, plan, host, running)
    ):
        lost = (*lost, Downgrade("record", problem))
    is_moved = _names_other_addresses(plan, environ)
    if register is not None:
        # The plan that a daemon keeps is about the container, what its start was granted, and its image.
        register(plan.workspace, is_moved or running.how != "already running")
    else:
        _announce(environ, plan.workspace)
    if register is None and is_moved:
        tell(
            "stale: the generated files name addresses that the engine no longer gives this project"
        )
        tell("  hint: `sandboxd generate` writes them again, before an editor starts from them")
    remote = settle(running.inspected, plan, environ, secrets or {})
    if dotfiles:
        remote = with_dotfiles(remote, dotfiles)
    for line in (*said_of_secrets(remote), *remote.refused):
        tell(line)
    failure = None
    if running.sick and remote.hooks:
        tell("not run: the lifecycle hooks, which may need its services")
    elif hooks:
        # The output of hooks stays on the screen, unlike the steps of the start.
        progress(Step("", is_passing=True))
        for refused in plan.hooks_refused:
            tell(f"not run: {refused.item}: {refused.why}")
        failure = run_hooks(
            InContainer(engine, running.inspected, plan),
            plan,
            remote,
            environ,
            tell,
            cancel.check,
            until_ready=until_ready,
        )
    elif dotfiles:
        tell("not run: the installation of your dotfiles, because of `--no-hooks`")
    if remote.is_written:
        # A hook that runs again may change it again.
        is_final = failure is None and not running.sick
        keep_environment(engine, running.inspected, plan, remote, environ, tell, is_final)
    runtime = plan.container.runtime
    # A daemon opens those of the one without a name.
    own = ports_of(plan) if plan.runs_hooks and not name else ()
    opened = wait_for_ports(plan.workspace, own) if own else ()
    return Started(
        running.id,
        running.name,
        running.how,
        plan.workspace,
        plan.profile,
        (runtime.value or "") if runtime else "",
        lost,
        news(environ, plan.sandbox, lost),
        *(
            _start_words.of_hook(failure, option_of(name))
            if failure is not None
            else _start_words.of_services(running.sick)
        ),
        tuple(dict.fromkeys(each.item for each in plan.left_out if not each.of_other_tools)),
        running.stand_ins,
        not name and generate.is_there(plan.workspace),
        tuple(port.text for port in ports_of(plan) if name or register is None),
        plan.gvisor,
        addresses=tuple(
            _start_words.address(port) for port in ports_of(plan) if name or register is None
        ),
        opened=opened,
        ports_left=ports_left(plan),
    )


def _names_other_addresses(plan: Plan, environ: Mapping[str, str]) -> bool:
    """Whether generated files are there, and `plan` was made for another subnet than the network has now."""
    from sandboxd.host.subnets import subnet_of
    from sandboxd.plan import generate
    from sandboxd.plan.inner_network import inner_network

    if plan.inner is None or not generate.is_there(plan.workspace):
        return False
    return plan.inner != inner_network(plan.inner.name, subnet_of(environ, plan.workspace))


def _refuse_by_policy(environ: Mapping[str, str], option: str) -> None:
    """:raises UsageError: the policy lets the user grant nothing"""
    from sandboxd.policy import floor

    if (demands := floor.load(environ)).no_trust:
        raise UsageError(
            f"`{demands.path_of('trust')}` forbids to grant anything, and `{option}` brings something of "
            "yours inside",
            "leave it out; `sandboxd credentials list` shows what tools inside can use without having it",
        )


def _announce(environ: Mapping[str, str], workspace: str) -> None:
    from sandboxd.ipc.announce import announce

    announce(environ, workspace, keeps=True)


def _build(
    engine: Engine,
    workspace: str,
    recipe: Recipe,
    environ: Mapping[str, str],
    progress: Progress,
    cancel: Cancel,
) -> None:
    from sandboxd.life.build import build
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
    with span("build", "image"):
        build(engine, recipe, environ, lines(progress, cancel), cancel.check)
