"""The protocol of a backend, the place where sandboxes run: an engine of this machine, or a cluster.

An operation that asks `Backend` runs on every one: `logs`, `cp`, `forward`, `exec`, `shell`, `down`, `list`,
`review`, `verify`, `drift`. The others have a form of their own for a cluster in `operations.on_cluster`, which their command chooses by
`args.on`: `up`, `agent`, `status`, `doctor`, `egress`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sandboxd.backends.command import Attended
    from sandboxd.egress.ledger import Ledger
    from sandboxd.engine.interruption import Cancel, Progress
    from sandboxd.forward.trunk import Trunk
    from sandboxd.observe.control import Control
    from sandboxd.observe.drift import Drift
    from sandboxd.plan.plan import Plan
    from sandboxd.verify.verdict import Verdict


class Ability(Enum):
    """An ability that some backends lack."""

    REACH_SERVICES = "reach services"
    """Forward ports of the services of a Compose project."""
    SHOW_SERVICES = "show services"
    """Show the output of these services."""
    CHOOSE_USER = "choose a user"
    """Run a command as any user of the image."""
    BE_ROOT = "be root"
    """Run a command as root."""
    HIDE_VARIABLES = "hide variables"
    """Keep the variables of a command out of every log."""
    END_ALL = "end all"
    """End the sandboxes of all projects at once."""
    WATCH = "watch"
    """Show changes of the state as they come."""
    SHOW_ALL = "show all"
    """Show the state of all projects."""
    ANSWER_AT_ONCE = "answer at once"
    """Show the state in a shell's prompt."""
    REMEMBER_PROJECTS = "remember projects"
    """Know projects of which no sandbox was started."""
    ALLOW_ONCE = "allow once"
    """Let one connection to a name through."""
    VERIFY_AT_START = "verify at the start"
    """Attack a sandbox as soon as it runs."""
    TIME_STARTS = "time starts"
    """Say what a start took."""
    DESCRIBE_AT_LENGTH = "describe at length"
    """Describe itself in two lengths."""
    PRINT_RAW_FACTS = "print raw facts"
    """Print what was read of it, unjudged."""
    BUILD_IMAGES = "build images"
    """Build the image of a project."""
    PULL_IMAGES = "pull images"
    """Get images from their registries before a start, when it is told to."""
    KEEP_COPIES = "keep copies"
    """Keep a private copy when the sandbox ends, so that a start can begin with a new one or go on with the old."""
    KEEP_THE_SAME = "keep the same"
    """Keep a copy and the folder on this machine the same while both change."""
    CLONE_DOTFILES = "clone dotfiles"
    """Clone a repository of the user into a new sandbox."""
    TAKE_VARIABLES = "take variables"
    """Give variables from the user's own file to what runs inside."""
    ATTACK_ANY = "attack any"
    """Attack a container that is no sandbox of a project."""
    ATTACK_A_NEW_ONE = "attack a new one"
    """Attack a container that is made for that alone."""
    SHOW_CONTROLS = "show controls"
    """Show what this machine sees of each control of a sandbox that was attacked."""
    PROBE_ANEW = "probe anew"
    """Repeat probes whose results are kept."""
    JUDGE_A_REPORT = "judge a report"
    """Judge the raw facts of another one."""


class Refusal(NamedTuple):
    """The words for an ability that a backend lacks."""

    hint: str
    """What to do instead, or to know."""
    why: str = ""
    """A predicate that follows the name of what was asked for; '' for an ability that an option alone asks for."""


class LogRange(NamedTuple):
    """A part of the output of a process."""

    follow: bool = False
    """Whether to go on until the process ends."""
    tail: str = "all"
    """The number of lines from the end, or ``all``."""
    since: int = 0
    """Only what was written since then, in seconds since 1970; 0 for all."""


class Running(NamedTuple):
    """A sandbox that runs.

    `id` is its container's or its Pod's, and another one after each start; `sandbox` is its identity.
    """

    id: str
    sandbox: str


class CommandRequest(NamedTuple):
    """A command to start in a sandbox, with the caller's streams."""

    words: Sequence[str]
    """() for a shell: the user's own if the image names one, else the first that exists."""
    directory: str
    """The caller's folder, absolute: it names the project, and where inside a command without a folder begins."""
    tty: bool = False
    """Whether it gets a terminal."""
    stdin: bool = False
    """Whether it gets input."""
    must_end_input: bool = False
    """Whether its input is a file or a pipe, whose end it has to see."""
    user: str = ""
    """The user inside, only of a backend that can `CHOOSE_USER`; '' for the sandbox's own."""
    env: Sequence[str] = ()
    """Further variables, ``NAME=value``."""
    working_dir: str = ""
    """The folder inside; '' for the one that corresponds to `directory`."""


class Listed(NamedTuple):
    """A sandbox in a list."""

    facts: Mapping[str, object]
    """All that is known of it, as JSON data; each backend has facts of its own."""
    columns: Mapping[str, str]
    """The cells of its row for a person, by the name of the column; all sandboxes of a backend have the same columns."""


class Listing(NamedTuple):
    """The sandboxes of a backend."""

    sandboxes: tuple[Listed, ...]
    place: Mapping[str, str]
    """Where they are, as JSON data; {} for this machine."""
    words: str = ""
    """The same for a person, as it follows `no sandboxes`; '' for this machine."""


class Ended(NamedTuple):
    """A sandbox that was ended; the names are those of containers or Pods."""

    sandbox: str
    """Its identity."""
    removed: tuple[str, ...]
    """() if there was nothing to remove."""
    of_editors: tuple[str, ...] = ()
    """Those that an editor started, which stay."""
    ledger: Ledger | None = None
    """The events of its gateway, which ended with it; None if it had none, or none that this machine reads."""


class Collected(NamedTuple):
    """The changes that a sandbox made in its copy of the workspace."""

    path: str
    """The file that they are in, in the user's state folder; '' if the sandbox works on the workspace itself."""
    ended: float | None
    """How many seconds ago the sandbox ended; None if it runs, and then the caller removes the file."""


class Attack(NamedTuple):
    """The attempts to escape from a sandbox, judged."""

    sandbox: str
    """Its identity."""
    verdict: Verdict
    seconds: float
    """The time that the attempts took."""
    container: str = ""
    """The container's id, of a backend that can `SHOW_CONTROLS`; else ''."""


class Comparison(NamedTuple):
    """The differences between a running sandbox and its plan, and the state of its controls."""

    sandbox: str
    """Its identity."""
    container: str
    """The name of its container or Pod."""
    differences: tuple[Drift, ...]
    controls: tuple[Control, ...]
    """``not seen`` where the sandbox alone says what is in force."""
    lost: str = ""
    """The pins that the host's own acts took away or made necessary, as `observe.pin.headline` says them; '' for none.

    They are among the differences.
    """
    hint: str = ""
    """The next step for the user; '' if `sandboxd up` makes the sandbox as planned, or if nothing differs."""


class Backend(Protocol):
    """A place where sandboxes run."""

    @property
    def cannot(self) -> Mapping[Ability, Refusal]:
        """The abilities that it lacks, each with the reason and the next step."""

    @property
    def place(self) -> Mapping[str, str]:
        """Where it is, as fields of an entry in the audit record; {} for this machine."""

    def list_sandboxes(self) -> Listing:
        """The sandboxes of all projects, in any state.

        :raises SandboxdError: it cannot be asked
        """

    def locate(self, project: str, name: str) -> Running:
        """The running sandbox `name` of the project in the folder `project`.

        :param name: '' for the unnamed one
        :raises EnvironmentFailure: no such sandbox runs
        """

    def run(
        self,
        running: Running,
        command: list[str],
        data: bytes,
        seconds: float,
        write: Callable[[int, bytes], None],
    ) -> int:
        """Run `command` inside with `data` as its whole input, and pass its output to `write`; return its exit code.

        :param write: called with each piece of output and its stream (1 stdout, 2 stderr)
        :raises TimeoutError: it did not end within `seconds`; it may still run
        :raises EnvironmentFailure: the sandbox ended with or before it
        """

    def read(self, running: Running, command: Sequence[str]) -> str:
        """The output of a short command that has no input.

        :raises EnvironmentFailure: the sandbox does not answer
        """

    def logs(
        self,
        project: str,
        name: str,
        service: str,
        wanted: LogRange,
        write: Callable[[int, bytes], None],
    ) -> None:
        """Pass the output of the main process of the sandbox `name` to `write`, whether or not it runs still.

        :param project: the project's folder, or one in it; `name` as in `locate`
        :param service: the service to show instead, as its Compose file names it, only of a backend that can
            `SHOW_SERVICES`; '' for the sandbox
        :param write: as in `run`
        :raises EnvironmentFailure: there is no such sandbox or service
        """

    def begin(
        self,
        project: str,
        name: str,
        request: CommandRequest,
        warn: Callable[[str], None] | None = None,
        follow: Callable[[str], str] = lambda _: "",
    ) -> Attended:
        """Start a command in the running sandbox `name`; the caller handles its streams, signals and end.

        :param project: as in `logs`, and so `name`
        :param warn: called, before it starts, with each thing that the user should know of the sandbox; None: nothing is
            asked for
        :param follow: where there is `warn`, gives the sandbox, by its identity, the rights that it may have now, and
            returns why it may have others; '' if it has just these
        :raises EnvironmentFailure: no such sandbox runs, or it is halted
        """

    def end(
        self,
        project: str,
        name: str,
        *,
        discard: bool,
        tell: Callable[[str], None],
        cancel: Cancel,
    ) -> Ended:
        """Stop and remove the sandbox `name`, after its work is saved; no error if there is none.

        :param project: as in `logs`; it may be gone from this machine
        :param discard: throw its work away instead
        :param tell: called with each line for the user: where the work is, or that it is lost
        :param cancel: ends it between two steps, where the backend can
        :raises EnvironmentFailure: the work cannot be saved; then the sandbox goes on
        """

    def collect(
        self, project: str, name: str, *, tell: Callable[[str], None], cancel: Cancel
    ) -> Collected:
        """The changes that the sandbox `name` made in its copy; if none runs, those saved when the last one ended.

        :param project: as in `logs`
        :param tell: called with each line for the user
        :param cancel: as in `end`
        :raises SandboxdError: there is neither; or they cannot be read, or are not plausible
        """

    def attack(
        self,
        project: str,
        name: str,
        plan: Callable[[], Plan],
        progress: Progress,
        cancel: Cancel,
    ) -> Attack:
        """Try to escape from the running sandbox `name`, which may be halted, and judge each attempt by its effect.

        :param project: as in `locate`
        :param plan: makes the plan to judge by; called once the sandbox was found, by a backend that compares with it
        :param progress: called with each step, and the number of attempts that were made
        :param cancel: as in `end`
        :raises EnvironmentFailure: no such sandbox runs, or it cannot be attacked from here
        """

    def compare(
        self, project: str, name: str, plan: Callable[[str], Plan], cancel: Cancel
    ) -> Comparison:
        """Compare the running sandbox `name`, which may be halted, with its plan.

        :param project: as in `locate`
        :param plan: makes the plan that the container with this id was started by; called once the sandbox was found, by
            a backend that does not note what it applied
        :param cancel: as in `end`
        :raises EnvironmentFailure: no such sandbox runs
        :raises UsageError: what it was started by is not known on this machine
        """

    def blaming_end(self, running: Running) -> AbstractContextManager[None]:
        """Raise a failure in the block as the end of the sandbox, if it does not run any more and that can be told."""

    def open_trunk(self, running: Running) -> Trunk:
        """Start the relay of ports inside; return the connection to it.

        :raises EnvironmentFailure: it does not start
        """

    def service_address(self, running: Running, service: str) -> str:
        """The IP address of a service as the sandbox reaches it; '' if it shares the sandbox's network.

        Only of a backend that can `REACH_SERVICES`.

        :raises EnvironmentFailure: the service does not run
        """
