"""The answer of `sandboxd status` as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from sandboxd.egress.credential_lines import CredentialLine
from sandboxd.egress.ledger import Question, Totals
from sandboxd.host.facts import HostFacts
from sandboxd.host.measurement import Measurement
from sandboxd.observe.control import Control
from sandboxd.observe.pin import Pin

State = Literal[
    "running", "paused", "stopped", "not created", "invalid config", "missing", "unknown"
]
"""`missing`: the folder is gone. `unknown`: the engine could not be asked; never read as "no"."""


Trust = Literal["in force", "outdated", "none", "not needed"]
"""The user's grant for what a project's config chooses. `outdated`: its file changed since; `none`:
it needs one; `not needed`: it chooses nothing that needs one."""


class Counts(NamedTuple):
    """Findings of a project's files by severity, and how many files could not be checked."""

    error: int = 0
    warning: int = 0
    hint: int = 0
    skipped: int = 0


class InForce(NamedTuple):
    """A running container: its settings by the engine, and its observed controls."""

    settings: dict[str, str]
    controls: tuple[Control, ...]


class Verification(NamedTuple):
    """The last result of `verify` for a running container; `when` in seconds since 1970.

    ``void``: the container or its config changed since it was attacked.
    """

    state: Literal["held", "escaped", "not shown", "void"]
    when: float
    tried: int
    escaped: tuple[str, ...] = ()
    not_tried: tuple[str, ...] = ()
    """Attempts for which there was nothing to attack."""
    open: tuple[str, ...] = ()
    """Attempts that succeed, and that the profile leaves open on purpose."""
    is_unlike_plan: bool = False
    """Of ``void``: it is the container that was attacked, and not what is asked for."""


class DeniedName(NamedTuple):
    """A name that the gateway did not let through; `name` is hostile text."""

    name: str
    port: int
    """0 where it was only looked up."""
    reason: str
    """As `egress.messages.Attempted` has it."""
    words: str
    last: float
    """Seconds since 1970."""
    command: str
    """The command that would allow it, '' where none does."""


class NamesStatus(NamedTuple):
    """The network by name. Nothing is recorded of a sandbox whose gateway is not attended to."""

    allowed: tuple[str, ...]
    """Groups and names that are let through."""
    is_recorded: bool = False
    totals: Totals = Totals()
    denied: tuple[DeniedName, ...] = ()
    """The last ones that would still be denied, the latest first."""
    questions: tuple[Question, ...] = ()
    """Those that wait for a person; `name` and `why` are hostile text."""
    credentials: tuple[CredentialLine, ...] = ()
    """The services that it uses by the user's secrets; all zero where nothing was recorded."""
    waiting: tuple[str, ...] = ()
    """Groups and names that an edit of the config asks for, and that are not let through before a grant or a start."""
    behind: str = ""
    """The reason why more than `allowed` may be let through at the moment; '' where that is not so."""


class OpenPort(NamedTuple):
    """A port of `forwardPorts` that is open on this machine, at `url`; `label` is hostile text."""

    port: int
    service: str
    """'' for the workspace's own."""
    label: str
    url: str


class ProjectStatus(NamedTuple):
    """The status of one workspace.

    `asked` is what its config comes to on this host, setting by setting; `in_force` what was seen
    of the running container, None when nothing was. `drift` compares the two in full.
    `problem` is the first line of what is wrong with the config, `hint` the exact next step.
    """

    path: str
    state: State
    profile: str | None = None
    """The profile that its config asks for now."""
    asked: dict[str, str] | None = None
    lost_pins: tuple[Pin, ...] = ()
    """What the host replaced or moved, so that its mount went: looked at when this was made, never before."""
    lost_beside: tuple[tuple[str, tuple[Pin, ...]], ...] = ()
    """The same of the other containers on this workspace that lost any, by the name of their sandbox; of a second one of
    the same sandbox by its own."""
    halted: str = ""
    """Why it is halted, and what was done about it, in words; '' where it is not."""
    halted_beside: tuple[tuple[str, str], ...] = ()
    """The same of the other containers on this workspace that are, by name as in `lost_beside`."""
    unwatched: str = ""
    """Why nobody would halt it when the host replaces what is shut inside, in words; '' where somebody does."""
    unchecked_pins: tuple[str, ...] = ()
    """The names of those of which nothing can be seen from here."""
    in_force: InForce | None = None
    unseen: str = ""
    """The reason why nothing was observed although there may be something, '' otherwise."""
    drift: tuple[str, ...] | None = None
    """None when there was nothing to compare."""
    verified: Verification | None = None
    """None when it was never attacked, or does not run."""
    downgrades: tuple[str, ...] = ()
    """Controls that were asked for and will not be in force, with the reason."""
    counts: Counts | None = None
    problem: str = ""
    hint: str = ""
    keeps: bool = True
    """Whether the daemon writes its generated files at each save."""
    trust: Trust | None = None
    """None when it is not known, as for a config that cannot be used."""
    granted: tuple[str, ...] = ()
    """What a file with a grant chooses by it, in words; hostile text."""
    names: NamesStatus | None = None
    """None where there is no gateway: no network, an open one, or a config that cannot be used."""
    hooks: tuple[str, ...] = ()
    """Lifecycle hooks that failed or did not run, with the reason; hostile text."""
    waiting: tuple[str, ...] = ()
    """Commits of its sandboxes that wait on the host, each with the command that takes them; hostile text."""
    ports: tuple[str, ...] = ()
    """Ports of `forwardPorts`, each with its address here or why there is none; hostile text."""
    open_ports: tuple[OpenPort, ...] = ()
    """Those among `ports` that have an address here."""
    measured: Measurement | None = None
    """The last result of `bench` for a command of this project."""
    beside: tuple[tuple[str, State], ...] = ()
    """The sandboxes with a name that work on this workspace, each with its state, by name."""
    running_profile: str = ""
    """The profile that its running container was made with; '' where none was seen."""
    checking: bool = False
    """Its files changed just now: what they come to is not known yet, so nothing is said of it."""


class DaemonLine(NamedTuple):
    """The state of the daemon."""

    running: bool
    version: str = ""
    pid: int | None = None
    projects: int = 0
    watching: str = ""
    """``events``, or ``polling`` with the reason."""
    problem: str = ""
    hint: str = ""


class StatusReport(NamedTuple):
    """The content of the screen. `host` is None while it has not been asked yet.

    `age` is for how many seconds it may have been outdated: 0 if the engine's events would have told. `here`
    is the path of the project that the caller is in, '' when in none. `others` counts by state the projects
    that are not among `projects`, of which there are too many.
    """

    daemon: DaemonLine
    host: HostFacts | None
    projects: tuple[ProjectStatus, ...]
    age: float = 0.0
    here: str = ""
    others: Mapping[State, int] = MappingProxyType({})
