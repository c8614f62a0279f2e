"""`setup gvisor --update`: the newest build of gVisor, kept only where no less holds than before.

The journal of an update is beside that of the setup, so that each can be put back by itself, the update
first.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK, EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.setup.gvisor import Options
    from sandboxd.setup.journal import Journal
    from sandboxd.setup.step import Step


def update(options: Options, image: str | None) -> int:
    """Attack, update, attack again; returns the exit code of the last attacks.

    :raises EnvironmentFailure: there is no package to update, a step failed, or less holds afterwards;
        everything was put back then
    """
    from sandboxd.cli.setup_verify import verify
    from sandboxd.setup import packages, register, runner

    if packages.installed_version() is None:
        raise EnvironmentFailure(
            "runsc is no package here, so there is nothing to update",
            "`sudo sandboxd setup gvisor --apply --source repository`, or `--from FILE`",
        )
    journal = journal_of(options)
    if journal.interrupted:
        terminal.status("an update was interrupted: putting it back first")
        roll_back(options)
    elif journal.exists:
        # `--rollback` has to restore the present build.
        journal.remove()
    journal = journal_of(options)
    before = EXIT_ENVIRONMENT
    if register.registered(options.place):
        terminal.status("attacking the build that is here")
        before = verify(options.place, image)
    journal.start(options.as_json())
    runner.apply(steps(options), journal, terminal.status)
    terminal.status("attacking the new build")
    after = verify(options.place, image)
    if _rank(after) > _rank(before):
        roll_back(options)
        raise EnvironmentFailure(
            "less holds under the new build than under the one before, which is back",
            "`sandboxd setup gvisor --verify` attacks it; report what was said above",
        )
    terminal.status(
        f"runsc {packages.installed_version()}; `--rollback` puts the build before back"
    )
    return after


def roll_back(options: Options) -> None:
    """Put the last update back: programs, apt's files, and what is registered."""
    from sandboxd.setup import gvisor, runner

    journal = journal_of(options)
    recorded = gvisor.Options.from_json(journal.options) if journal.options else options
    runner.roll_back(steps(recorded), journal, terminal.status)
    terminal.status("put back: the build of gVisor before the update")


def steps(options: Options) -> list[Step]:
    """The steps of an update: gVisor's repository, its newest package, and what that build needs."""
    from sandboxd.setup import gvisor
    from sandboxd.setup.register import RegisterStep, TrialStep, passes_graphics
    from sandboxd.setup.upgrade import UpgradeStep

    place, folder = options.place, _folder(options)
    return [
        *gvisor.repository_steps(options),
        UpgradeStep(folder, options.repository),
        RegisterStep(place, "/usr/bin/runsc", folder, anew=True, nvproxy=passes_graphics(place)),
        TrialStep(place),
    ]


def journal_of(options: Options) -> Journal:
    """The journal of the last update."""
    from sandboxd.setup.journal import Journal

    return Journal(_folder(options))


def _folder(options: Options) -> str:
    return os.path.normpath(options.state) + "-update"


def _rank(code: int) -> int:
    """The severity of an exit code of `verify`: all held, then could not be attacked, then something escaped."""
    return {EXIT_OK: 0, EXIT_ENVIRONMENT: 1, EXIT_NOT_HELD: 2}.get(code, 1)
