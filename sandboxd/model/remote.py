"""Settings of a devcontainer.json for tools that work in the running container, not for the engine."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.model.container import Pair

STAGES = (
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
"""The lifecycle hooks that run inside, in order."""

AT_START = "postStartCommand"
AT_ATTACH = "postAttachCommand"

DOTFILES = "dotfiles"
"""The stage in which the user's dotfiles are installed: once for each container, and only if the user asks for it."""

IN_ORDER = (*STAGES[:3], DOTFILES, *STAGES[3:])
"""All stages that run inside, in order."""

WAIT_FOR = "updateContentCommand"
"""The hook after which a container counts as ready if `waitFor` is not set."""


class Command(NamedTuple):
    """A program with its arguments; `name` is its key among commands that run in parallel, '' for a single command."""

    name: str
    words: tuple[str, ...]
    written: str
    """The command as the config has it, for messages."""


class Hook(NamedTuple):
    """The commands of one hook in one source, which run in parallel."""

    stage: str
    source: str
    """The name of its source for messages: ``devcontainer.json``, a Feature, or the image's label."""
    commands: tuple[Command, ...]


class Port(NamedTuple):
    """A port of `forwardPorts` or `appPort`, with its `portsAttributes`."""

    number: int
    label: str = ""
    scheme: str = "http"
    needs_same: bool = False
    """Whether it must have the same number on the user's machine (`requireLocalPort`)."""
    service: str = ""
    """The service of a Compose project that listens on it; '' for the workspace itself."""
    here: int = 0
    """The port number on the user's machine that the config asks for; 0 for the same number."""

    @property
    def text(self) -> str:
        """The port as an argument of `sandboxd forward`: ``3000``, ``db:5432``, or ``3000:8080`` with another local
        port.
        """
        text = f"{self.service}:{self.number}" if self.service else str(self.number)
        return f"{text}:{self.here}" if self.here else text


class Remote(NamedTuple):
    """The hooks in the order in which they run, and the environment of commands."""

    hooks: tuple[Hook, ...] = ()
    wait_for: str = ""
    """The hook that must have ended before anybody works inside (`waitFor`); '' for the default."""
    env: tuple[Pair, ...] = ()
    """`remoteEnv`; each name once, with the last value."""
    env_probe: str = ""
    """`userEnvProbe`: the kind of shell whose environment is read; '' for the default."""

    folder: str = ""
    """The working directory inside; '' for the workspace."""
    ports: tuple[Port, ...] = ()
    """Ports to forward while the container runs."""
    no_ports: tuple[str, ...] = ()
    """Sentences about ports of the config that cannot be forwarded."""
    secrets: tuple[Pair, ...] = ()
    """Variables that the user gives, which override `env`; their values may be secret."""
    asks_for: tuple[str, ...] = ()
    """Names of secrets that the config asks the user for."""
    is_written: bool = False
    """Whether a devcontainer.json exists, so that its defaults apply."""
    refused: tuple[str, ...] = ()
    """Sentences about parts of an image's label that are ignored and that the plan has not reported."""

    def of(self, stage: str) -> tuple[Hook, ...]:
        """The hooks of one stage."""
        return tuple(hook for hook in self.hooks if hook.stage == stage)

    def waits_for(self) -> int:
        """The number of stages that run before the container counts as ready."""
        name = self.wait_for or WAIT_FOR
        return IN_ORDER.index(name) + 1 if name in STAGES else 0


NO_REMOTE = Remote()


def over(below: Remote, above: Remote) -> Remote:
    """`above` merged over `below`: the hooks of both run, and single values of `above` take precedence."""
    env = {pair.name: pair for pair in (*below.env, *above.env)}
    hooks = sorted((*below.hooks, *above.hooks), key=lambda hook: STAGES.index(hook.stage))
    return Remote(
        tuple(hooks),
        above.wait_for or below.wait_for,
        tuple(env.values()),
        above.env_probe or below.env_probe,
        above.folder or below.folder,
        tuple({port.text: port for port in (*below.ports, *above.ports)}.values()),
        tuple(dict.fromkeys((*below.no_ports, *above.no_ports))),
        (*below.secrets, *above.secrets),
        tuple(dict.fromkeys((*below.asks_for, *above.asks_for))),
        below.is_written or above.is_written,
    )
