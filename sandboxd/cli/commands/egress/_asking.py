"""An action on names, done by the daemon that runs, or in this process."""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from sandboxd.operations.egress import Options


def add_host(parser: argparse.ArgumentParser, port: str = "[:PORT]", *, on: bool = True) -> None:
    """The name that an action is about, and the project.

    :param on: it is about one sandbox, which may be on a cluster
    """
    parser.add_argument(
        "host", metavar=f"HOST{port}", help="a name, or `*.name` for all names below it"
    )
    if on:
        _sandbox.add_name(parser)
        _sandbox.add_on(parser)
    else:
        _sandbox.add_project(parser)


def ask(args: argparse.Namespace, action: str, **arguments: Any) -> dict[str, Any]:
    """The result of `operations.egress.actions.act`."""
    return asker(args)(action, **arguments)


def asker(args: argparse.Namespace) -> Callable[..., dict[str, Any]]:
    """`ask` for several questions in a row, each as `action, **arguments`."""
    if getattr(args, "on", ""):
        from sandboxd.cli.on_cluster.naming import asker as on_cluster

        return on_cluster(_sandbox.target(args))
    return lambda action, **arguments: _ask_here(args, action, arguments)


def _ask_here(args: argparse.Namespace, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from sandboxd.cli.operating import operate

    options: Options = {
        "name": _sandbox.name(args) if "name" in args else "",
        "action": action,
        "arguments": arguments,
    }
    answer: dict[str, Any] = operate("egress", _sandbox.folder(args), options)
    return answer


def say_whether_live(args: argparse.Namespace, answer: dict[str, Any]) -> None:
    """Print whether an answer of the user is in force in a running sandbox by now."""
    up = f"`sandboxd up{_sandbox.option(args)}`"
    if answer["is_live"]:
        terminal.status(f"in force now{_sandboxes(answer['sandboxes'])}")
    elif answer["unasked"]:
        terminal.status(f"kept, and not known to be in force: {answer['unasked']}")
        terminal.status(f"hint: {up} gives it to a sandbox that runs")
    else:
        terminal.status(f"kept: no gateway of `{answer['workspace']}` runs; the next {up} has it")


def _sandboxes(names: list[str]) -> str:
    """The sandboxes in which an answer is in force; '' where the one without a name is the only one."""
    if names == [""]:
        return ""
    listed = [f"`{name}`" if name else "the sandbox without a name" for name in sorted(names)]
    *first, last = listed
    return f" in {', '.join(first)} and {last}" if first else f" in {last}"


def when(until: float, once: bool, now: float) -> str:
    """The time for which an answer holds, in words."""
    from math import ceil

    from sandboxd.egress.words import duration

    # Rounded up: a minute that was just given is not one of 59 seconds.
    length = f"for {duration(ceil(until - now))}" if until else "without an end"
    return f"{length}, for one connection" if once else length


def word(name: str) -> str:
    """`name` as a shell takes it: `*.host` unquoted would be a pattern of file names."""
    return f"'{name}'" if name.startswith("*.") else name


def ports(numbers: list[int]) -> str:
    """`ports 80 and 443`."""
    if not numbers:
        return "every port"
    *first, last = map(str, numbers)
    return f"ports {', '.join(first)} and {last}" if first else f"port {last}"
