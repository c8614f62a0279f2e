"""The settings of a devcontainer.json for the tool that works in its running container, not for the engine."""

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
"""The lifecycle hooks that run inside, in their order."""

AT_START = "postStartCommand"
AT_ATTACH = "postAttachCommand"

DOTFILES = "dotfiles"
"""The stage in which files of the user are installed: once for each container, and asked for by the user alone."""

IN_ORDER = (*STAGES[:3], DOTFILES, *STAGES[3:])
"""All stages that run inside, in their order."""

WAIT_FOR = "updateContentCommand"
"""The hook after which a container is ready where `waitFor` names none."""


class Command(NamedTuple):
    """A program with its arguments; `name` is its key among those that run side by side, '' for one alone."""

    name: str
    words: tuple[str, ...]
    written: str
    """As the config has it, for people."""


class Hook(NamedTuple):
    """The commands of one hook of one source, which run side by side."""

    stage: str
    source: str
    """In words: ``devcontainer.json``, a Feature, the image's label."""
    commands: tuple[Command, ...]


class Port(NamedTuple):
    """A port of `forwardPorts` or `appPort`, with what `portsAttributes` says of it."""

    number: int
    label: str = ""
    scheme: str = "http"
    needs_same: bool = False
    """Whether another port on the user's machine will not do (`requireLocalPort`)."""
    service: str = ""
    """The service of a Compose project whose port it is, '' for the workspace's own."""
    here: int = 0
    """The port of the user's machine that the config names for it, 0 for the same number."""

    @property
    def text(self) -> str:
        """The port as `sandboxd forward` takes it: ``3000``, ``db:5432``, or ``3000:8080`` for another one here."""
        text = f"{self.service}:{self.number}" if self.service else str(self.number)
        return f"{text}:{self.here}" if self.here else text


class Remote(NamedTuple):
    """The hooks in the order in which they run, and the environment of commands."""

    hooks: tuple[Hook, ...] = ()
    wait_for: str = ""
    """The hook that has to be over before anybody works inside, '' for the default."""
    env: tuple[Pair, ...] = ()
    """`remoteEnv`, of one name only the last."""
    env_probe: str = ""
    """`userEnvProbe`: the kind of shell that is asked for its environment, '' for the default."""

    folder: str = ""
    """The folder inside to work in, where it is not the workspace itself."""
    ports: tuple[Port, ...] = ()
    """Ports to forward while the container runs."""
    no_ports: tuple[str, ...] = ()
    """Ports of the config that cannot be forwarded, in words."""
    secrets: tuple[Pair, ...] = ()
    """Values that the user gives, over `env`; they may be secrets."""
    asks_for: tuple[str, ...] = ()
    """Names of `secrets` that the config would like to have."""
    is_written: bool = False
    """Whether a devcontainer.json asks for all that, if only by being there."""
    refused: tuple[str, ...] = ()
    """Parts of an image's label that do not count, in words that a plan did not say."""

    def of(self, stage: str) -> tuple[Hook, ...]:
        """The hooks of one stage."""
        return tuple(hook for hook in self.hooks if hook.stage == stage)

    def waits_for(self) -> int:
        """The number of stages that come before the container is ready."""
        name = self.wait_for or WAIT_FOR
        return IN_ORDER.index(name) + 1 if name in STAGES else 0


NO_REMOTE = Remote()


def over(below: Remote, above: Remote) -> Remote:
    """`above` merged over `below`: hooks of both run, of single values the later counts."""
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
