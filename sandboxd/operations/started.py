"""The result of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from sandboxd.operations import _start_words

if TYPE_CHECKING:
    from sandboxd.engine.timeline import Timing
    from sandboxd.life.starting import How, Running
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.reasons import Downgrade


class Started(NamedTuple):
    """The running sandbox. `runtime` is '' for the engine's default one."""

    container: str
    """The container's id."""
    name: str
    how: How
    workspace: str
    profile: str
    runtime: str
    downgrades: tuple[Downgrade, ...]
    """Controls of the plan that are not in force on this machine."""
    news: tuple[Downgrade, ...] = ()
    """Those of `downgrades` that the project's previous start did not have."""
    problem: str = ""
    """A message about the lifecycle hook that failed, or about services that do not run as they should; '' for neither.
    """
    hint: str = ""
    left_out: tuple[str, ...] = ()
    """Settings of a hand-written devcontainer.json that the sandbox does not get, as they are written there."""
    stand_ins: tuple[str, ...] = ()
    """Placeholder files and folders made in the workspace for it, relative to the workspace."""
    stand_ins_stay: bool = False
    """Whether the placeholders stay when the sandbox is removed, because generated files need them."""
    ports: tuple[str, ...] = ()
    """Ports of the config that no daemon forwards, as arguments of `forward`; hostile text."""
    gvisor: bool = False
    """Whether its runtime is gVisor."""
    timing: Timing | None = None
    """How long the parts of the start took; None if nobody measured them."""
    addresses: tuple[str, ...] = ()
    """For each of `ports`, the URL at which `forward` opens it, if that port is free."""
    opened: tuple[str, ...] = ()
    """Ports of the config that a daemon forwards, each with its address or the reason why it has none; hostile text."""
    ports_left: tuple[str, ...] = ()
    """Ports of the config that are not forwarded automatically, with the reason; hostile text."""


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
    """A message about the lifecycle hook that failed, or services that do not run; '' for neither. The sandbox runs."""
    hint: str
    left_out: list[str]
    stand_ins: list[str]
    stand_ins_stay: bool
    ports: list[str]
    gvisor: bool
    timing: TimingDocument | None
    """None if the sandbox was started by another operation, such as `agent`."""
    addresses: list[str]
    opened: list[str]
    ports_left: list[str]


def of(plan: Plan, running: Running, name: str, *, is_kept: bool) -> Started:
    """The result of a start, if every hook ends well.

    :param name: the sandbox's name; '' for the unnamed one
    :param is_kept: whether a daemon watches the workspace; it forwards the ports of the unnamed sandbox
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
