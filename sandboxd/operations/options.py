"""The user's options for what is done with a sandbox that is there, one type for each operation.

Those of a start are in `start_options.py`. Imports nothing slow: a command declares its arguments by them.
"""

from __future__ import annotations

from sandboxd.operations.option import Options, option, option_of
from sandboxd.operations.start_options import StartOptions


class SandboxOptions(Options):
    """All options of `drift` and `review`."""

    name: str = ""
    """The sandbox's name; '' for the unnamed one."""


class StopOptions(SandboxOptions):
    """The user's options for the end of a sandbox."""

    discard: bool = option(
        "--discard", "throw away what was changed in a private copy", default=False
    )


class VerifyOptions(SandboxOptions):
    """The user's options for an attack on a sandbox."""

    container: str | None = option(
        "--container",
        "any running container, by id or name",
        default=None,
        metavar="ID",
        needs="attack any",
    )
    """A running container in the place of the project's sandbox, by id or name; None for the sandbox."""
    is_fresh: bool = option(
        "--fresh",
        "attack a new container of the plan, whether or not a sandbox runs",
        default=False,
        needs="attack a new one",
    )
    with_controls: bool = False
    """Also observe the controls, for a report."""


class WhyOptions(SandboxOptions):
    """What `why` is told of the command that failed."""

    before: tuple[str, ...] = ()
    """The numbers of the `Counters` before the command, as text; () if nobody read them."""


class SettleOptions(SandboxOptions):
    """The user's answer to a copy that waits for one."""

    removals: int = 0
    """So many files may be removed; 0 for no answer."""
    restores: bool = False
    """They are to be restored instead."""


class TakeOptions(SandboxOptions):
    """Which commits that wait on the host are taken."""

    ref: str = ""
    """What they are called below the sandbox's own refs; '' for those of every branch."""
    expect: str = ""
    """The id of the only tip that may be taken; '' for any that waited before the operation began."""
    acting: bool = False
    """Also take what adds another repository, or changes files that are read-only inside."""


class PruneOptions(Options):
    """What is freed of what sandboxd keeps; without an option it is only listed."""

    frees: bool = option("--yes", "free it", default=False, short="-y")
    with_work: bool = option("--all", "also what may hold work and nothing runs on", default=False)
    """Private copies, homes, built images and saved changes."""


class BenchOptions(Options):
    """How the cost of a sandbox is measured."""

    command: tuple[str, ...] = ()
    """The user's own command, in place of the built-in workloads; () for these."""
    rounds: int = option("--rounds", "rounds to measure", default=5, metavar="N")
    copy_limit: int = 512 << 20
    """The largest workspace that is copied, in bytes."""
    plain: bool = option(
        "--plain",
        "compare with plain Docker, too: only for an image that you trust",
        default=False,
    )
    """Also compare with plain Docker, in which `command` is never run."""
    allow_runc: bool = option_of(StartOptions, "allow_runc")
