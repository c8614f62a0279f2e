"""Keep what this machine holds of a running sandbox to what it may have: the user's SSH keys, and ports that are open here.

It ends with the process that holds it, so only a daemon does. What a gateway enforces is followed by `operations.gateway`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.operations import recording
from sandboxd.policy.reconcile import (
    ClosePorts,
    GiveKeys,
    OpenPorts,
    Record,
    TakeKeys,
    reconcile,
    served_keys,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.model.remote import Port
    from sandboxd.policy.reconcile import Given
    from sandboxd.policy.rights import KeyRights, PortRights, Rights

_TAKEN_OUT = "its config, or your list of credentials, has them no more"


class Holder(Protocol):
    """Whoever serves one sandbox; called by one thread at a time."""

    def given(self) -> Given:
        """What it serves now, and what the last start chose."""

    def take_keys(self) -> None:
        """Serve no keys any more, and cut the connections by which they were."""

    def give_keys(self, rights: KeyRights) -> None:
        """Serve these."""

    def asked_ports(self) -> tuple[Port, ...] | None:
        """The ports that the plan of the project has for this machine; None where it has no plan at the moment."""

    def close_ports(self, ports: tuple[Port, ...]) -> None:
        """Close these, and cut their connections."""

    def open_ports(self, rights: PortRights) -> None:
        """Have these open."""

    def lacks(self, words: frozenset[str], why: str) -> None:
        """Hear which keys and hosts of the start the sandbox that it named may not have now, and why; none where it may
        have all."""


def follow(sandbox: str, container: str, environ: Mapping[str, str], holder: Holder) -> None:
    """Make what `holder` gives a sandbox what it may have now: the one loop for every cause.

    What is too much is taken back at once; what is missing is given once it is recorded. Where what it may have cannot
    be read, it may have no keys; its ports, like the names of its gateway, stay as they are.

    :param container: the id of its container that runs; '' for none
    :raises RecordFailure: more was to be given, and that cannot be recorded
    :raises EnvironmentFailure: what it may have cannot be read, and maybe a moment later
    """
    ports, given = holder.asked_ports(), holder.given()
    wanted, problem = _wanted(sandbox, container, environ, ports or ())
    is_same = given.ports is not None and given.ports.container == container
    if given.ports is not None and is_same and (problem is not None or ports is None):
        wanted = wanted._replace(ports=given.ports)
    for step in reconcile(wanted._replace(gateway=None), given):
        if isinstance(step, TakeKeys):
            holder.take_keys()
        elif isinstance(step, ClosePorts):
            holder.close_ports(step.ports)
        elif isinstance(step, OpenPorts):
            holder.open_ports(step.rights)
        elif isinstance(step, Record):
            recording.before_widening(environ, sandbox, step.names, step.credentials)
        elif isinstance(step, GiveKeys):
            holder.give_keys(step.rights)
    if isinstance(problem, EnvironmentFailure):
        raise problem
    if container and container == given.started:
        keys = served_keys(wanted, given)
        why = problem.message if problem is not None else wanted.problem or _TAKEN_OUT
        holder.lacks(given.chosen - (keys.words if keys is not None else frozenset()), why)


def _wanted(
    sandbox: str, container: str, environ: Mapping[str, str], ports: tuple[Port, ...]
) -> tuple[Rights, SandboxdError | None]:
    """What the sandbox may have; nothing where none runs, or where that cannot be read, and why it cannot."""
    from sandboxd.project import Project
    from sandboxd.project.rights import no_rights, rights_now

    if not container:
        return no_rights(sandbox, container), None
    try:
        project = Project.open(workspace_of(sandbox), environ, name_of(sandbox))
        return rights_now(project, container, time.time(), ports), None
    except SandboxdError as error:
        return no_rights(sandbox, container), error
