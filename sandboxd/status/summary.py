"""One project in at most twelve lines: whether it is safe, what is not in force, what is open, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sandboxd.observe.control import Control
from sandboxd.screen import cut, duration, paint, visible, wrap
from sandboxd.status import beside_text, counts_text, names_text
from sandboxd.status.glance import GREEN, RED, YELLOW, Glance, glance
from sandboxd.status.model import InForce, NamesStatus, ProjectStatus, Verification
from sandboxd.verify.last_verdict import age_seconds

INDENT = 16
MOST_ROWS = 9
"""The most rows between the first line and the next step."""

_MOST_REASONS = 2
_MOST_LOST = 3
_GRAVEST = (
    "gVisor",
    "network",
    "non-root user",
    "user",
    "workspace",
    "capabilities",
    "seccomp",
    "limits",
    "memory limit",
    "process limit",
    "cpu limit",
    "control files",
    "git inside",
    "git on the host",
    "credentials",
)
"""The controls whose loss is shown first, in this order; others follow in the plan's order."""

_LIMITS = ("memory limit", "cpu limit", "process limit")


class Row(NamedTuple):
    """One row of the screen.

    Rows with a low `weight` are left out first. If `lines` is more than 1, the text is wrapped to so many lines before
    it is cut.
    """

    weight: int
    label: str
    text: str
    colour: str = ""
    lines: int = 1
    is_loss: bool = False
    """Whether it says that a control of the plan is not in force."""


def head(project: ProjectStatus, name: str, *, colour: bool, columns: int) -> str:
    """The first line: symbol, name, state, runtime and profile."""
    mark = glance(project)
    room = max(columns - 24, 8)
    state = project.state.upper()
    about = [_runtime(project), counts_text.profile(project.profile, project.running_profile)]
    text = f"{mark.symbol} {cut(visible(name), room)}  {state}"
    rest = cut(" · ".join(part for part in about if part), max(columns - len(text) - 2, 1))
    painted = (
        f"{paint(mark.symbol, mark.colour, colour)} {paint(cut(visible(name), room), '1', colour)}  "
        f"{paint(state, _colour_of_state(mark), colour)}"
    )
    return f"{painted}  {rest}" if len(text) + 2 + len(rest) <= columns and rest else painted


def rows(project: ProjectStatus, host: str, daemon: str, above: int = 0) -> list[Row]:
    """The rows in order, as many as there is room for.

    :param host, daemon: their problem; '' for none
    :param above: the number of lines above the first row
    """
    every = [
        *_problems(project),
        *_hooks(project),
        *_waiting(project),
        *_copy(project),
        *_ports(project),
        *_beside(project),
        *_reasons(project),
        *_in_order(project),
        *_config(project),
        *_surroundings(project, host, daemon),
    ]
    # Several lines of one text are counted as one: a screen may be narrow.
    while sum(row.lines for row in every) > max(MOST_ROWS - above, 0):
        every.remove(min(reversed(every), key=lambda row: row.weight))
    return _with_number_hidden(every, len(losses(project)))


def _with_number_hidden(rows: list[Row], lost: int) -> list[Row]:
    """`rows`, whose last loss says how many of the `lost` have no row; the only one says how many there are."""
    shown = [row for row in rows if row.is_loss]
    hidden = lost - len(shown)
    if not hidden or not shown:
        return rows
    last = shown[-1]
    if len(shown) > 1:
        more = last._replace(label="", text=f"{hidden + 1} more: `sandboxd status --long`")
    else:
        more = last._replace(text=f"{lost} controls, first {last.text}")
    return [more if row is last else row for row in rows]


def lines(row: Row, *, colour: bool, columns: int) -> list[str]:
    """The row as lines for the screen; a text that does not fit ends with an ellipsis."""
    room = max(columns - INDENT, 20)
    wrapped = wrap(visible(row.text), room)
    if len(wrapped) > row.lines:
        rest = " ".join(wrapped[row.lines - 1 :])
        wrapped = [*wrapped[: row.lines - 1], cut(rest, room)]
    label = f"  {row.label}"
    first = paint(label, row.colour, colour) + " " * max(INDENT - len(label), 1) + wrapped[0]
    return [first, *(" " * INDENT + line for line in wrapped[1:])]


def _colour_of_state(mark: Glance) -> str:
    return GREEN if mark.word in ("held", "running") else mark.colour


def _runtime(project: ProjectStatus) -> str:
    running = project.in_force
    if running is not None:
        kernel = next((c for c in running.controls if c.name == "own kernel"), None)
        if kernel is not None and kernel.state == "in force":
            return "gVisor"
        return running.settings.get("runtime", "")
    return f"planned: {project.asked['runtime']}" if project.asked is not None else ""


def _problems(project: ProjectStatus) -> list[Row]:
    rows = []
    if project.checking:
        rows.append(Row(9, "checking", "its files changed just now"))
    if project.problem:
        # Where the project is, its first line says.
        text = project.problem.replace(f"{project.path}/", "")
        rows.append(Row(10, "problem", text, RED, 3))
    if project.trust in ("none", "outdated"):
        words = {
            "outdated": "the grant is void: the file changed since",
            "none": "none: it asks for what needs a grant",
        }
        rows.append(Row(9, "trust", words[project.trust], YELLOW))
    if project.unseen:
        rows.append(Row(10, "not seen", project.unseen, YELLOW, 2))
    return rows


def _surroundings(project: ProjectStatus, host: str, daemon: str) -> list[Row]:
    rows = []
    if host and not (project.unseen and project.unseen in host):
        rows.append(Row(5, "host", host, YELLOW, 2))
    if not project.keeps:
        text = "does not keep it generated: `sandboxd daemon start` here does"
        rows.append(Row(4, "daemon", text))
    if daemon:
        rows.append(Row(4, "daemon", daemon, YELLOW, 2))
    return rows


def _reasons(project: ProjectStatus) -> list[Row]:
    """Rows: whether it held, and what is not as it should be, with the reason."""
    running = project.in_force
    if running is None:
        # A plan that was made without an engine says little of what would be lost.
        return _lost(losses(project))
    rows = [_verified(project.verified)]
    rows += _controls(running, "not in force", 9)
    lost = losses(project)
    rows += _lost(lost)
    known = {text.partition(":")[0] for text in lost}
    unseen = running._replace(controls=tuple(c for c in running.controls if c.name not in known))
    rows += _controls(unseen, "not seen", 7)
    rows += _controls(running, "open", 8)
    if project.drift:
        text = "; ".join(project.drift)
        rows.append(
            Row(
                9,
                "drift",
                f"{counts_text.number(len(project.drift), 'difference')}: {text}",
                YELLOW,
            )
        )
    return rows


def _waiting(project: ProjectStatus) -> list[Row]:
    """The commits of its sandboxes that wait on the host."""
    return [Row(8, "commits", "; ".join(project.waiting), YELLOW, 2)] if project.waiting else []


def _copy(project: ProjectStatus) -> list[Row]:
    """What differs between the folder and the copy of it that is kept the same."""
    return [Row(8, "copy", "; ".join(project.copy), YELLOW, 2)] if project.copy else []


def _hooks(project: ProjectStatus) -> list[Row]:
    """The lifecycle hooks that failed or did not run."""
    return [Row(8, "hooks", "; ".join(project.hooks), YELLOW, 2)] if project.hooks else []


def _ports(project: ProjectStatus) -> list[Row]:
    return [Row(6, "ports", " · ".join(project.ports), "", 2)] if project.ports else []


def _beside(project: ProjectStatus) -> list[Row]:
    """The row with the named sandboxes; none where there are none."""
    texts = beside_text.texts(project)
    return [Row(8, "beside", " · ".join(texts), "", 2)] if texts else []


def losses(project: ProjectStatus) -> list[str]:
    """The controls of the plan that are not in force, as sentences, the gravest first."""
    running = project.in_force
    if running is not None:
        lost = _of_the_plan(project, running)
    else:
        lost = [] if project.unseen else list(project.downgrades)
    return sorted(lost, key=_gravity)


def _gravity(loss: str) -> int:
    control = loss.partition(":")[0]
    return _GRAVEST.index(control) if control in _GRAVEST else len(_GRAVEST)


def _lost(losses: Sequence[str]) -> list[Row]:
    """Rows for the first losses, and one in whose place the number of the others is told."""
    most = _MOST_LOST + (len(losses) > _MOST_LOST)
    return [Row(6, "not in force", text, YELLOW, is_loss=True) for text in losses[:most]]


def _of_the_plan(project: ProjectStatus, running: InForce) -> list[str]:
    """Controls that the plan cannot have and that are not among the observed ones."""
    # What is in force may be so in part, what was left out since the engine cannot give it is a loss, and what cannot be
    # seen is known from the plan.
    names = {c.name for c in running.controls if c.state in ("not in force", "open")}
    return [text for text in project.downgrades if text.partition(":")[0] not in names]


def _in_order(project: ProjectStatus) -> list[Row]:
    running = project.in_force
    if running is not None:
        return [
            *_network(project.names, running),
            *_services(running),
            Row(3, "files", _files(running)),
            Row(3, "rights", _rights(running)),
            Row(4, "in force", _number_in_force(running)),
        ]
    asked = project.asked
    if asked is None or project.checking:
        return []
    text = f"user {asked['user']} · {_capabilities(asked)} · network {asked['network']}"
    return [Row(3, "planned", text)]


def _verified(result: Verification | None) -> Row:
    if result is None:
        return Row(10, "held?", "not attacked yet: `sandboxd verify`")
    age = duration(age_seconds(result.when))
    if result.state == "escaped":
        return Row(10, "ESCAPED", f"{', '.join(result.escaped)} · {age} ago", RED)
    if result.state == "held":
        return Row(
            10, "held", f"against {counts_text.number(result.tried, 'attempt')} · {age} ago", GREEN
        )
    if result.is_unlike_plan:
        return Row(10, "held?", f"attacked {age} ago, and it is not as asked for", YELLOW)
    if result.state == "void":
        return Row(10, "held?", f"it is not what was attacked {age} ago", YELLOW)
    return Row(10, "held?", f"not shown to hold, {age} ago", YELLOW)


def _controls(running: InForce, state: str, weight: int) -> list[Row]:
    controls = [control for control in running.controls if control.state == state]
    rows = [Row(weight, state, f"{c.name}: {c.why}", YELLOW) for c in controls[:_MOST_REASONS]]
    if len(controls) > _MOST_REASONS:
        names = ", ".join(control.name for control in controls[_MOST_REASONS:])
        rows.append(Row(weight, "", f"and {names}", YELLOW))
    return rows


def _network(names: NamesStatus | None, running: InForce) -> list[Row]:
    if names is not None and names.is_recorded:
        rows = names_text.rows(names)
        colours = {
            "tripwire": RED,
            "lost": YELLOW,
            "no secret": YELLOW,
            "asks for": YELLOW,
            "too much": YELLOW,
            "waits": YELLOW,
        }
        # Two lines where a person has to answer: a command that is cut cannot be copied.
        return [
            Row(8, label, text, colours.get(label, ""), 2 if label in colours else 1)
            for label, text in rows
        ]
    behind = names_text.behind(names) if names is not None else []
    return [
        Row(7, "network", running.settings.get("network", "not seen")),
        *(Row(8, label, text, YELLOW, 2) for label, text in behind),
    ]


def _services(running: InForce) -> list[Row]:
    """The other services of a Compose project, where all are as they should be."""
    controls = [control for control in running.controls if control.name == "services"]
    return [
        Row(5, "services", control.why, "", 2)
        for control in controls
        if control.state == "in force"
    ]


def _files(running: InForce) -> str:
    pins = [
        control
        for control in running.controls
        if control.name.startswith("read-only /workspaces/") and control.state == "in force"
    ]
    text = running.settings.get("workspace", "not seen")
    return f"{text} · {counts_text.number(len(pins), 'control file')} read-only" if pins else text


def _rights(running: InForce) -> str:
    settings = running.settings
    parts = [f"user {settings.get('user', 'not seen')}", _capabilities(settings)]
    held = {control.name for control in running.controls if control.state == "in force"}
    limits = [name.removesuffix(" limit") for name in _LIMITS if name in held]
    if limits:
        parts.append(f"limits on {', '.join(limits)}")
    return " · ".join(part for part in parts if part)


def _capabilities(settings: dict[str, str]) -> str:
    text = settings.get("capabilities", "")
    names = text.split(", ")
    if text == "none":
        return "no capability"
    if all(name.isupper() for name in names):
        return "1 capability" if len(names) == 1 else f"{len(names)} capabilities"
    return f"capabilities: {text}"


def _number_in_force(running: InForce) -> str:
    held = [control for control in running.controls if control.state == "in force"]
    text = f"{len(held)} of {counts_text.number(len(running.controls), 'control')}"
    left_out = _names(running.controls, "left out")
    return f"{text} · left out: {left_out}" if left_out else text


def _names(controls: tuple[Control, ...], state: str) -> str:
    return ", ".join(control.name for control in controls if control.state == state)


def _config(project: ProjectStatus) -> list[Row]:
    if project.checking:
        return []
    parts = [counts_text.findings(project.counts, "no findings")]
    if project.drift is not None and not project.drift:
        parts.append("no drift")
    if project.trust == "in force":
        parts.append(counts_text.grant(project.granted))
    return [Row(5, "config", " · ".join(parts))]
