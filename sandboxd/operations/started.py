"""The result of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.operations import _start_words

if TYPE_CHECKING:
    from sandboxd.life.starting import How, Running
    from sandboxd.life.timeline import Timing
    from sandboxd.plan.plan import Downgrade, Plan


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


def of(plan: Plan, running: Running, name: str, *, is_kept: bool) -> Started:
    """A start in which every hook ended well.

    :param name: of the sandbox, '' for the one without
    :param is_kept: a daemon keeps the workspace, and opens the ports of the sandbox without a name
    """
    from sandboxd.plan import generate
    from sandboxd.plan.remote import ports_left, ports_of

    runtime = plan.container.runtime
    unopened = () if is_kept and not name else ports_of(plan)
    problem, hint = _start_words.of_services(running.sick)
    return Started(
        running.id,
        running.name,
        running.how,
        plan.workspace,
        plan.profile,
        (runtime.value or "") if runtime else "",
        (),
        problem=problem,
        hint=hint,
        left_out=tuple(
            dict.fromkeys(each.item for each in plan.left_out if not each.of_other_tools)
        ),
        stand_ins=running.stand_ins,
        stand_ins_stay=not name and generate.is_there(plan.workspace),
        ports=tuple(port.text for port in unopened),
        gvisor=plan.gvisor,
        addresses=tuple(_start_words.address(port) for port in unopened),
        ports_left=ports_left(plan),
    )
