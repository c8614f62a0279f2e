"""The content of `sandboxd status` as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from sandboxd.egress.credential_lines import CredentialLine
from sandboxd.egress.ledger import Question, Totals
from sandboxd.egress.traffic import Carried
from sandboxd.host.facts import HostFacts
from sandboxd.observe.control import Control
from sandboxd.observe.pin import Pin
from sandboxd.project.here import AgentSession
from sandboxd.state.measurement import Measurement

State = Literal[
    "running", "paused", "stopped", "not created", "invalid config", "missing", "unknown"
]
"""`missing`: the folder no longer exists. `unknown`: the engine could not be asked; it must never be read as "no"."""


Trust = Literal["in force", "outdated", "none", "not needed"]
"""The user's grant for what a project's config chooses. `outdated`: its file changed since; `none`: a grant is needed;
`not needed`: it chooses nothing that needs a grant.
"""


class Counts(NamedTuple):
    """The numbers of findings in a project's files by severity, and of files that could not be checked."""

    error: int = 0
    warning: int = 0
    hint: int = 0
    skipped: int = 0


class InForce(NamedTuple):
    """A running container: its settings as the engine reports them, and its observed controls."""

    settings: dict[str, str]
    controls: tuple[Control, ...]


class Verification(NamedTuple):
    """The last result of `verify` for a running container; `when` is in seconds since 1970.

    ``void``: the container, its config or its mounts changed after the attack.
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
    """Whether the result is ``void`` because the container differs from its plan, not because it is another container.
    """


class DeniedName(NamedTuple):
    """A name that the gateway refused; `name` is hostile text."""

    name: str
    port: int
    """0 if the name was only looked up."""
    reason: str
    """The reason of the refusal, as in `egress.messages.Attempted`."""
    words: str
    last: float
    """When it was last refused, in seconds since 1970."""
    command: str
    """The command that would allow it; '' if none would."""


class NamesStatus(NamedTuple):
    """The network of a sandbox with a gateway. If the gateway is not connected, nothing is recorded."""

    allowed: tuple[str, ...]
    """Groups and names that are let through, for display."""
    is_recorded: bool = False
    totals: Totals = Totals()
    denied: tuple[DeniedName, ...] = ()
    """The last names that would still be denied, latest first."""
    questions: tuple[Question, ...] = ()
    """Requests of programs inside that wait for the user's answer; `name` and `why` are hostile text."""
    credentials: tuple[CredentialLine, ...] = ()
    """The services used with the user's credentials; all counts are 0 if nothing was recorded."""
    waiting: tuple[str, ...] = ()
    """Groups and names that an edit of the config asks for and that need a grant or a new start."""
    behind: str = ""
    """The reason why more than `allowed` may be let through at the moment; '' if that cannot be."""
    shut: str = ""
    """The reason why nothing is let through, whatever the config says; '' if that is not so."""
    carried: tuple[Carried, ...] | None = None
    """The bytes that connections carried, the name that was sent most first; None if they were not counted."""


class OpenPort(NamedTuple):
    """A port of `forwardPorts` that is forwarded to this machine, at `url`; `label` is hostile text."""

    port: int
    service: str
    """The service that listens on it; '' for the workspace itself."""
    label: str
    url: str


class ProjectStatus(NamedTuple):
    """The status of one workspace.

    `asked` is what its config results in on this host, setting by setting; `in_force` is what was observed of the
    running container, None if nothing was. `drift` is the full comparison of the two. `problem` is the first line about
    what is wrong with the config, '' for nothing, and `hint` the exact next step.
    """

    path: str
    state: State
    profile: str | None = None
    """The profile that its config asks for now."""
    asked: dict[str, str] | None = None
    lost_pins: tuple[Pin, ...] = ()
    """Pins that are lost because the host replaced or moved a file; checked when this status was made."""
    lost_beside: tuple[tuple[str, tuple[Pin, ...]], ...] = ()
    """The same for other containers of the workspace: (name, pins), for those that lost any. The name is the sandbox's;
    of a second container of one sandbox, the container's.
    """
    halted: str = ""
    """Why it is halted, and what was done, in words; '' if it is not."""
    halted_beside: tuple[tuple[str, str], ...] = ()
    """The same for other containers of the workspace that are halted: (name, reason), with names as in `lost_beside`.
    """
    unwatched: str = ""
    """The reason why nobody would halt it when the host replaces a mounted file, in words; '' if somebody would."""
    unchecked_pins: tuple[str, ...] = ()
    """The names of pins whose state cannot be determined from here."""
    in_force: InForce | None = None
    unseen: str = ""
    """The reason why nothing was observed although there may be something; '' otherwise."""
    drift: tuple[str, ...] | None = None
    """The differences from the plan; None if there was nothing to compare."""
    verified: Verification | None = None
    """None if it was never attacked, or does not run."""
    downgrades: tuple[str, ...] = ()
    """Controls that were asked for and will not be in force, with the reason."""
    counts: Counts | None = None
    problem: str = ""
    hint: str = ""
    keeps: bool = True
    """Whether the daemon writes its generated files at each save of the config."""
    trust: Trust | None = None
    """None if it is not known, as for a config that cannot be used."""
    granted: tuple[str, ...] = ()
    """The choices of the file that only its grant permits, as phrases; hostile text."""
    names: NamesStatus | None = None
    """None if there is no gateway: no network, an open one, or a config that cannot be used."""
    hooks: tuple[str, ...] = ()
    """Lifecycle hooks that failed or did not run, with the reason; hostile text."""
    waiting: tuple[str, ...] = ()
    """Sentences about commits of its sandboxes that wait on the host, each with the command that takes them; hostile
    text.
    """
    copy: tuple[str, ...] = ()
    """Sentences about what differs between the folder and a copy of it that is kept the same; hostile text."""
    ports: tuple[str, ...] = ()
    """Sentences about ports of `forwardPorts`, each with its local address or why it has none; hostile text."""
    open_ports: tuple[OpenPort, ...] = ()
    """The ports of `ports` that have a local address."""
    measured: Measurement | None = None
    """The last result of `bench` for a command of this project; None for none."""
    beside: tuple[tuple[str, State], ...] = ()
    """The named sandboxes that work on this workspace: (name, state)."""
    agents: tuple[AgentSession, ...] = ()
    """The sessions of agents on it; each has the sandbox of its name."""
    running_profile: str = ""
    """The profile with which its running container was created; '' if none was observed."""
    checking: bool = False
    """Whether its files just changed, so that their result is not known yet."""


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
    """The content of the screen. `host` is None if the host was not examined yet.

    `age` is for how many seconds the content may have been outdated, 0 if the engine would have reported changes.
    `here` is the path of the caller's project, '' if there is none. `others` has the numbers, by state, of projects
    that are not in `projects` because there are too many.
    """

    daemon: DaemonLine
    host: HostFacts | None
    projects: tuple[ProjectStatus, ...]
    age: float = 0.0
    here: str = ""
    others: Mapping[State, int] = MappingProxyType({})
