"""The operations by name, for callers that have their arguments as JSON: the daemon, and commands without a daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.errors import UsageError
from sandboxd.operations.egress.gateways import none_runs
from sandboxd.operations.wire import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.operations.egress.gateways import FindGateway

_ARGUMENTS: dict[str, dict[str, tuple[type, ...]]] = {
    "allow": {"text": (str,), "duration": (int, float), "once": (bool,), "by": (str,)},
    "deny": {"text": (str,), "undo": (bool,), "by": (str,)},
    "check": {"text": (str,)},
    "list": {},
    "log": {},
    "promote": {"text": (str,)},
}


def act(
    action: str,
    directory: str,
    environ: Mapping[str, str],
    arguments: Mapping[str, Any],
    find: FindGateway = none_runs,
    name: str = "",
) -> dict[str, Any]:
    """Run `action` and return the fields of its result as JSON data.

    :param find: returns the running gateway of a workspace
    :param name: the name of the sandbox whose rules `check`, `list` and `log` use; answers apply to all sandboxes
    :raises UsageError: there is no such action, or it takes other arguments; or the operation itself raises it
    """
    types = _ARGUMENTS.get(action)
    if types is None or not all(
        type(value) in types.get(name, ()) for name, value in arguments.items()
    ):
        raise UsageError(
            f"`{action}` with these arguments is no action", "`sandboxd egress --help`"
        )
    result: dict[str, Any] = encode(_act(action, directory, environ, dict(arguments), find, name))
    return result


def _act(
    action: str,
    directory: str,
    environ: Mapping[str, str],
    arguments: dict[str, Any],
    find: FindGateway,
    name: str,
) -> Any:
    if action == "allow":
        from sandboxd.operations.egress.allow import allow

        return allow(directory, environ, **arguments, find=find)
    if action == "deny":
        from sandboxd.operations.egress.deny import deny

        return deny(directory, environ, **arguments, find=find)
    if action == "log":
        from sandboxd.operations.egress.log import log

        return log(directory, environ, name=name, find=find)
    if action == "list":
        from sandboxd.operations.egress.rules import rules

        return rules(directory, environ, name)
    if action == "check":
        from sandboxd.operations.egress.check import check

        return check(directory, environ, **arguments, sandbox=name)
    from sandboxd.operations.egress.promote import promote

    return promote(directory, environ, **arguments)
