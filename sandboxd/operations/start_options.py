"""The user's options for a start: here alone, for the command line, its help, the daemon and the operation."""

from __future__ import annotations

from sandboxd.operations.option import Options, option, option_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.life.up_down import Replace


class StartOptions(Options):
    """The user's options for a start; each `option` is one of `sandboxd up`."""

    name: str = ""
    """The sandbox's name, if several work on the project; '' for the unnamed one."""
    allow_runc: bool = option(
        "--allow-runc",
        "let hardened runc, which shares the host's kernel, run what needs gVisor, or what asks for runc where "
        "gVisor works",
        default=False,
    )
    """Whether the user typed it. Other grants are read from the user's own state."""
    build: bool = option(
        "--build",
        "build the project's image again, if it has to be built",
        default=False,
        needs="build images",
    )
    pull: bool = option(
        "--pull",
        "get images that the engine does not have from their registries first",
        default=False,
        needs="pull images",
    )
    recreate: bool = option(
        "--recreate", "make the container anew though nothing changed", default=False
    )
    fresh: bool = option(
        "--fresh",
        "begin with a new private copy; what was changed in the old one is kept for review",
        default=False,
        needs="keep copies",
    )
    dotfiles: str = option(
        "--dotfiles",
        "clone it inside, and run its install script there, when a container is made",
        default="",
        metavar="REPOSITORY",
        needs="clone dotfiles",
    )
    """A repository of the user's to clone and install inside; '' for none."""
    secrets: Mapping[str, str] = option(
        "--env-file",
        "give its variables to hooks, and to what `exec` and `shell` start until the next `up`",
        default={},
        metavar="FILE",
        needs="take variables",
    )
    """Values for hooks, and for commands until the next start, by variable name; the names are reported to the user."""
    hooks: bool = option("--no-hooks", "run no lifecycle hook this time", default=True)
    """Run the lifecycle hooks that are due once the sandbox runs."""
    hooks_in_short: bool = False
    """Pass over the output of hooks that failed at the last start already; that they failed again is reported."""
    until_ready: bool = option(
        "--until-ready",
        "leave the lifecycle hooks behind `waitFor` to the next `sandboxd up`",
        default=False,
    )

    @property
    def replace(self) -> Replace | None:
        """What to create anew even if it could be reused; work in it is saved first. None: nothing."""
        if self.fresh:
            return "copy"
        return "container" if self.recreate else None


WITHOUT_OPTIONS = StartOptions()


class AgentOptions(Options):
    """The user's options for a start with an agent at work in it."""

    name: str = ""
    """The name of the session, which is also that of its sandbox."""
    allow_runc: bool = option_of(StartOptions, "allow_runc")
    build: bool = option_of(StartOptions, "build")
    pull: bool = option_of(StartOptions, "pull")
    task: str | None = None
    """The task for a run without a terminal; None: an interactive run."""
    resume: bool = option("--resume", "go on where it ended last", default=False)
    """Whether the agent continues its last conversation."""
    more: tuple[str, ...] = ()
    """The user's own arguments, added to the end of the agent's command line."""
