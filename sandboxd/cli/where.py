"""Which machine a command without `--on` is about: this one, or the cluster that sandboxd.toml names and the user granted.

Most projects name none, and are to pay nothing for those that do: a file without the word is not read further.
"""

from __future__ import annotations

import os

from sandboxd.cli import terminal
from sandboxd.errors import UsageError
from sandboxd.ipc.named_cluster import names_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

COMMANDS = frozenset(
    (
        "agent",
        "cp",
        "down",
        "drift",
        "egress",
        "exec",
        "forward",
        "logs",
        "review",
        "shell",
        "status",
        "up",
        "verify",
    )
)
"""Those that are about the sandbox of one project."""

_OF_THIS_MACHINE = {"status": ("short",), "verify": ("container", "fresh", "diff")}
"""Options by which a command is about this machine: a prompt is not to wait for a cluster, and a cluster has no such."""


def cluster(command: str, args: argparse.Namespace) -> str:
    """The context that the command is about; '' for this machine."""
    if command not in COMMANDS or args.here:
        return ""
    if any(getattr(args, option, None) for option in _OF_THIS_MACHINE.get(command, ())):
        return ""
    if command == "agent" and not _is_open(args.words):
        return ""
    folder = os.path.abspath(getattr(args, "project", "."))
    if not names_one(folder):
        return ""
    from sandboxd.policy import floor
    from sandboxd.project import Project

    try:
        project = Project.open(folder, os.environ)
        wish = project.config.where
        if wish is None:
            return ""
        may_grant = not floor.load(os.environ).no_trust
        is_granted = may_grant and project.is_trusted(None, project.hosts())
    except UsageError as error:
        # A file that a sandbox or a repository broke must not keep anybody from ending what runs here.
        terminal.status(
            f"this is about this machine, since a cluster may be named, and {error.message}"
        )
        return ""
    name = terminal.one_line(wish.value)
    if not is_granted:
        terminal.status(
            f"sandboxd.toml asks for the cluster `{name}`, which you did not grant: this is about this machine"
        )
        terminal.status(
            "hint: look at the file, then `sandboxd trust add`; `--here` keeps this line away"
        )
        return ""
    terminal.status(f"on `{name}`, as sandboxd.toml says; `--here` is about this machine")
    return wish.value


def _is_open(words: list[str]) -> bool:
    """Whether the words of `agent` name one, and leave open where: options may stand behind the name."""
    own = words[: words.index("--")] if "--" in words else words
    return bool(own) and not any(word.partition("=")[0] in ("--on", "--here") for word in own)
