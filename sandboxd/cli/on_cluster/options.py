"""Options that mean something on one side alone, each refused on the other with the reason."""

from __future__ import annotations

from sandboxd.cli import arguments, terminal
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.start_options import StartOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_HERE_ONLY = {
    "up": {
        **arguments.on_cluster(StartOptions),
        "verify": "`sandboxd verify` with the same `--on` attacks it once it runs",
        "timing": "it times this machine's engine",
    },
    "exec": {
        "user": "a Pod has the one user of its plan",
        "root": "Pod Security `restricted` has no root",
    },
    "shell": {"root": "Pod Security `restricted` has no root"},
    "verify": {
        "container": "a Pod is found by its project: go to the project's folder, or name it by `--project`",
        "fresh": "the Pod itself is attacked: `sandboxd up` with the same `--on` starts one",
    },
    "logs": {"service": "the services of a Compose project are not there"},
    "agent": {"build": arguments.on_cluster(StartOptions)["build"]},
    "down": {
        "all": "name each by its project's folder; `sandboxd list` with the same `--on` shows them"
    },
    "status": {
        "watch": "it asks the cluster once",
        "all": "`sandboxd list` with the same `--on` shows the sandboxes there",
        "short": "a prompt is not to wait for a cluster",
    },
    "egress": {
        "once": "a gateway that its cluster starts again would let one more connection through; give it a time: "
        "`--for 10m`"
    },
    "doctor": {
        "long": "without it all that is known of a cluster is shown",
        "raw": "`--json` prints the facts of the cluster",
        "try_anew": "the cluster is asked anew each time",
        "facts": "a report of `--raw` is about a machine",
    },
}
_THERE_ONLY = tuple(each.dest for each in ClusterOptions.own_arguments.values())
_OF_THE_FILE = "the lines of sandboxd.toml choose the image and the runtime of this machine"
_WHY_THERE = dict.fromkeys(("image", "runtime_class", "seccomp_profile"), _OF_THE_FILE)
_SPELLED = {"try_anew": "--try"}


def refuse_there(command: str, args: argparse.Namespace) -> None:
    """:raises UsageError: an option has no meaning on a cluster"""
    for name, why in _HERE_ONLY.get(command, {}).items():
        if not getattr(args, name, None):
            continue
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
