"""Options that mean something on one side alone, each refused on the other with the reason."""

from __future__ import annotations

from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_HERE_ONLY = {
    "up": {
        "build": "a cluster only pulls images: build it, push it, and name it by `--image`",
        "fresh": "`--recreate` begins with a new copy there, too, and keeps the changes of the old one",
        "dotfiles": "bring what you need in the image, or by `sandboxd cp FILE :`",
        "env_file": "a Pod's variables can be read by all who may read the Pod",
        "until_ready": "no lifecycle hook runs there",
        "verify": "what is tried there is tried at each start, and named",
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
    "agent": {"build": "a cluster only pulls images: build it, push it, and name it by `--image`"},
    "down": {
        "all": "name each by its project's folder; `sandboxd list` with the same `--on` shows them"
    },
    "status": {
        "watch": "it asks the cluster once",
        "short": "a prompt is not to wait for a cluster",
    },
}
_THERE_ONLY = ("image", "runtime_class", "gateway_image", "seccomp_profile", "refresh", "sandbox")


def refuse_there(command: str, args: argparse.Namespace) -> None:
    """:raises UsageError: an option has no meaning on a cluster"""
    for name, why in _HERE_ONLY.get(command, {}).items():
        if getattr(args, name):
            raise UsageError(f"`{_spelled(name)}` does not go with `--on`", why)


def refuse_here(args: argparse.Namespace, names: tuple[str, ...] = _THERE_ONLY) -> None:
    """:raises UsageError: an option has no meaning without a cluster"""
    for name in names:
        if getattr(args, name):
            raise UsageError(
                f"`{_spelled(name)}` goes with `--on CONTEXT`",
                "the lines of sandboxd.toml choose the image and the runtime of this machine",
            )


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"
