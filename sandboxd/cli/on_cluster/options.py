"""Options that mean something on one side alone, each refused on the other with the reason."""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.backends import selection
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster.options import ClusterOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping
    from typing import NoReturn

_THERE_ONLY = tuple(each.dest for each in ClusterOptions.own_arguments.values())
_OF_THE_FILE = "the lines of sandboxd.toml choose the image and the runtime of this machine"
_WHY_THERE = dict.fromkeys(("image", "runtime_class", "seccomp_profile"), _OF_THE_FILE)
_SPELLED = {"try_anew": "--try"}


def refuse(args: argparse.Namespace, needs: Mapping[str, str]) -> None:
    """Refuse the options of a command that its backend has no ability for.

    :param needs: the option's attribute -> the value of the `Ability` that it needs
    :raises UsageError: such an option was typed
    """
    typed = {name: need for name, need in needs.items() if getattr(args, name, None)}
    if not typed:
        return
    lacks = {ability.value: refusal for ability, refusal in selection.lacks(args.on).items()}
    for name, need in typed.items():
        if need in lacks:
            _refuse(name, args, lacks[need].hint)


def _refuse(name: str, args: argparse.Namespace, why: str) -> NoReturn:
    """Refuse the option with the attribute `name` in words that name how the cluster was chosen.

    :param why: what to do instead
    """
    if getattr(args, "follows_file", False):
        cluster = terminal.one_line(args.on)
        raise UsageError(
            f"`{_spelled(name)}` does not go with the cluster `{cluster}` that sandboxd.toml names",
            f"{why.replace(' with the same `--on`', '')}; `--here` is about this machine",
        )
    raise UsageError(f"`{_spelled(name)}` does not go with `--on`", why)


def refuse_here(args: argparse.Namespace, names: tuple[str, ...] = _THERE_ONLY) -> None:
    """:raises UsageError: an option has no meaning without a cluster"""
    defaults = {each.dest: each.default for each in ClusterOptions.own_arguments.values()}
    for name in names:
        if getattr(args, name) and getattr(args, name) != defaults.get(name):
            raise UsageError(
                f"`{_spelled(name)}` goes with `--on CONTEXT`",
                _WHY_THERE.get(name, "name the cluster: `--on CONTEXT`"),
            )


def _spelled(name: str) -> str:
    return _SPELLED.get(name) or f"--{name.replace('_', '-')}"
