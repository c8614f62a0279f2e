"""The machine that a command without `--on` is about: this one, or the cluster of sandboxd.toml that the user granted.

Most projects name none, and are to pay nothing for those that do: a file without the word is not read further.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.ipc.named_cluster import names_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.project import Project

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
"""The commands about the sandbox of one project."""

_OF_THIS_MACHINE = {
    "status": ("short", "watch", "all"),
    "down": ("all",),
    "verify": ("container", "fresh", "diff"),
}
"""Options by which a command is about this machine: a prompt is not to wait for a cluster, and a cluster has no such."""
_READ_IT_THEMSELVES = ("up", "agent", "egress")
"""Commands that end with the same error where the file cannot be read."""


def settle(command: str, args: argparse.Namespace) -> None:
    """Make `args.on` the context that the command is about, '' for this machine, by what was typed or by the file.

    `args.follows_file` says which: words about an option must not name one that nobody typed.

    :raises UsageError: the options contradict each other
    """
    check(args)
    args.follows_file = False
    if args.on is None:
        args.on = cluster(command, args)
        args.follows_file = bool(args.on)


def check(args: argparse.Namespace) -> None:
    """:raises UsageError: `--on` is empty, as by a variable of a shell that is not set, or stands beside `--here`"""
    if args.on is None:
        return
    if not args.on.strip():
        # It must not mean this machine: `down --discard` would throw another sandbox's work away.
        raise UsageError("`--on` is empty", "name a context: `kubectl config get-contexts`")
    if getattr(args, "here", False):
        raise UsageError(
            "`--here` does not go with `--on`", "`--here` is this machine, `--on` a cluster"
        )


def cluster(command: str, args: argparse.Namespace) -> str:
    """The context that sandboxd.toml says the command is about; '' for this machine."""
    if command not in COMMANDS or args.here:
        return ""
    if any(getattr(args, option, None) for option in _OF_THIS_MACHINE.get(command, ())):
        return ""
    if command == "agent" and not _is_open(args.words):
        return ""
    folder = os.path.abspath(getattr(args, "project", "."))
    if not names_one(folder):
        return ""
    project = _opened(folder, is_silent=command in _READ_IT_THEMSELVES)
    wish = None if project is None else project.config.where
    if project is None or wish is None:
        return ""
    name = terminal.one_line(wish.value)
    if refusal := _refusal(project, wish.value):
        for line in refusal:
            terminal.status(line)
        return ""
    terminal.status(f"on `{name}`, as sandboxd.toml says; `--here` is about this machine")
    return wish.value


def say_here(what: str, folder: str, hint: str = "") -> None:
    """Say that `what` is about this machine, if other commands follow the project's file to a cluster."""
    if not names_one(folder):
        return
    project = _opened(folder, is_silent=True)
    wish = None if project is None else project.config.where
    if project is not None and wish is not None and not _refusal(project, wish.value):
        name = terminal.one_line(wish.value)
        terminal.status(
            f"`{what}` is about this machine, not about the cluster `{name}` of sandboxd.toml{hint}"
        )


def _opened(folder: str, *, is_silent: bool) -> Project | None:
    """The project; None where its file cannot be read, which is said.

    A file that a sandbox or a repository broke must not keep anybody from ending what runs here.
    """
    from sandboxd.project import Project

    try:
        return Project.open(folder, os.environ)
    except SandboxdError as error:
        if not is_silent:
            terminal.status(
                "sandboxd.toml cannot be read, so no cluster is followed: this is about this machine"
            )
            terminal.status(f"  {terminal.one_line(error.message)}")
        return None


def _refusal(project: Project, context: str) -> tuple[str, ...]:
    """The reason why the project's file is not followed to `context`, and what to do; () where the user granted it."""
    from sandboxd.model.sandbox_id import option_of_cluster
    from sandboxd.policy import floor, trust

    name, end = terminal.one_line(context), "this is about this machine"
    try:
        if floor.load(os.environ).no_trust:
            return (
                f"sandboxd.toml asks for the cluster `{name}`, and the policy forbids grants: {end}",
                "hint: `sandboxd policy` shows which file does; `--here` keeps these lines away",
            )
        if project.is_trusted(None, project.hosts()):
            return ()
        given = trust.grants(os.environ)
    except SandboxdError as error:
        return (
            f"whether you granted the cluster `{name}` cannot be read: {end}",
            f"  {terminal.one_line(error.message)}",
        )
    if any(each.workspace == project.grantee and each.profile != trust.BUILD for each in given):
        option = terminal.one_line(option_of_cluster(context))
        return (
            f"sandboxd.toml changed since you granted it, and asks for the cluster `{name}`: {end}",
            "hint: look at the file, then `sandboxd trust add` grants it again; for a sandbox that is up there: "
            f"the same command with `{option.strip()}`",
        )
    return (
        f"sandboxd.toml asks for the cluster `{name}`, which you did not grant: {end}",
        "hint: look at the file, then `sandboxd trust add`; `--here` says that you mean this machine",
    )


def _is_open(words: list[str]) -> bool:
    """Whether the words of `agent` name one, and leave open where: options may stand behind the name."""
    own = words[: words.index("--")] if "--" in words else words
    return bool(own) and not any(_chooses(word.partition("=")[0]) for word in own)


def _chooses(option: str) -> bool:
    """Whether it is an option about where, or the beginning of one, which argparse takes for it."""
    return len(option) > 2 and ("--on".startswith(option) or "--here".startswith(option))
