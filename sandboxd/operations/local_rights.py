"""Keeps what this machine provides to a running sandbox within its rights: the user's SSH keys, and forwarded ports.

Both end with the process that provides them, so only a daemon does it. `operations.gateway` does the same for what a
gateway enforces.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Protocol

from sandboxd.errors import EnvironmentFailure, NoFolder, SandboxdError
from sandboxd.operations import rights_steps
from sandboxd.policy.reconcile import (
    ClosePorts,
    GiveKeys,
    OpenPorts,
    TakeKeys,
    served_keys,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.model.remote import Port
    from sandboxd.policy.reconcile import Given, Step
    from sandboxd.policy.rights import KeyRights, PortRights, Rights

_TAKEN_OUT = "its config, or your list of credentials, has them no more"


class Holder(Protocol):
    """The object that provides keys and ports to one sandbox; called by one thread at a time."""

    def given(self) -> Given:
        """Return what it provides now, and what the last start chose."""

    def take_keys(self) -> None:
        """Stop serving keys, and close the connections by which they were used."""

    def end_logins(self) -> None:
        """End the sandbox's SSH logins, which may be by keys that are not served any more.

        :raises EnvironmentFailure: its gateway does not do it
        """

    def give_keys(self, rights: KeyRights) -> None:
        """Serve these keys."""

    def asked_ports(self) -> tuple[Port, ...] | None:
        """Return the ports that the project's plan wants forwarded to this machine; None if there is no plan at the
        moment.
        """

    def close_ports(self, ports: tuple[Port, ...]) -> None:
        """Stop forwarding these ports, and close their connections."""

    def open_ports(self, rights: PortRights) -> None:
        """Forward these ports."""

    def lacks(self, words: frozenset[str], why: str) -> None:
        """Receive the keys and hosts that the last start chose and that the sandbox may not have now, and the reason.

        `words` is empty if it may have all of them.
        """


def follow(sandbox: str, container: str, environ: Mapping[str, str], holder: Holder) -> None:
    """Make what `holder` provides to a sandbox match what the sandbox may have now, whatever caused a change.

    What was revoked is stopped at once; what is new is provided once it is in the audit record. If the rights cannot be
    read, no keys are served, and the ports stay as they are; they are closed where the project's folder is not there.

    :param sandbox: the sandbox's identity
    :param container: the id of its running container; '' if none runs
    :raises RecordFailure: something new cannot be recorded, and is not provided
    :raises EnvironmentFailure: the rights cannot be read at this moment; a later call may succeed
    """
    ports, given = holder.asked_ports(), holder.given()
    wanted, problem = _wanted(sandbox, container, environ, ports or ())
    is_same = given.ports is not None and given.ports.container == container
    is_unknown = (problem is not None or ports is None) and not isinstance(problem, NoFolder)
    if given.ports is not None and is_same and is_unknown:
        wanted = wanted._replace(ports=given.ports)
    do = functools.partial(_do, holder)
    rights_steps.bring(wanted._replace(gateway=None), given, environ, do)
    is_known = problem is None and not wanted.no_credentials
    if is_known and given.keys is not None and given.keys.container == container:
        left = served_keys(wanted, given) or given.keys.within(())
        # Only now: before the keys were taken another login could have begun.
        if left.lack(given.keys.words):
            holder.end_logins()
    if isinstance(problem, EnvironmentFailure):
        raise problem
    if container and container == given.started:
        keys = served_keys(wanted, given)
        why = problem.message if problem is not None else ""
        why = why or wanted.no_credentials or wanted.problem or _TAKEN_OUT
        holder.lacks(given.chosen - (keys.words if keys is not None else frozenset()), why)


def _do(holder: Holder, step: Step) -> None:
    if isinstance(step, TakeKeys):
        holder.take_keys()
    elif isinstance(step, ClosePorts):
        holder.close_ports(step.ports)
    elif isinstance(step, OpenPorts):
        holder.open_ports(step.rights)
    elif isinstance(step, GiveKeys):
        holder.give_keys(step.rights)


def _wanted(
    sandbox: str, container: str, environ: Mapping[str, str], ports: tuple[Port, ...]
) -> tuple[Rights, SandboxdError | None]:
    """What the sandbox may have; nothing where none runs, or where that cannot be read, and why it cannot."""
    from sandboxd.project.of_sandbox import of_sandbox
    from sandboxd.project.rights import no_rights, rights_now

    if not container:
        return no_rights(sandbox, container), None
    try:
        return rights_now(of_sandbox(sandbox, environ), container, time.time(), ports), None
    except SandboxdError as error:
        return no_rights(sandbox, container), error
