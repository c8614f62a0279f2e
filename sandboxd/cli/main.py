"""The command line: one module of `commands` for each command, imported only when it is asked for."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

from sandboxd import __version__, terminal
from sandboxd.cli import plain_arguments
from sandboxd.errors import (
    EXIT_BUG,
    EXIT_ENVIRONMENT,
    EXIT_OK,
    EXIT_USAGE,
    EnvironmentFailure,
    SandboxdError,
    UsageError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Protocol

    class Command(Protocol):
        """A module of `sandboxd.cli.commands`.

        Heavy imports belong inside `run`: `--help` imports every command.
        """

        HELP: str
        """One line for the list of commands."""

        def configure(self, parser: argparse.ArgumentParser) -> None:
            """Add the command's arguments; the module docstring is the description."""

        def run(self, args: argparse.Namespace) -> int:
            """Run the command; returns the exit code or raises a `SandboxdError`.

            With `--on`, options that the command's `NEEDS` names were refused where the backend lacks the ability.
            """


_EXIT_HANGUP = 129
"""128 and the number of SIGHUP, as in a shell."""


def command_names() -> list[str]:
    """Names of all commands: the modules and packages of `sandboxd.cli.commands`."""
    folder = os.path.join(os.path.dirname(__file__), "commands")
    return sorted(
        name.removesuffix(".py").replace("_", "-")
        for name in os.listdir(folder)
        if not name.startswith("_")
        and (name.endswith(".py") or os.path.exists(os.path.join(folder, name, "__init__.py")))
    )


def load_command(name: str) -> Command:
    """The module of a command.

    :raises UsageError: there is no such command
    """
    names = command_names()
    if name not in names:
        raise UsageError(f"there is no command `{name}`", _did_you_mean(name, names))
    return import_module("sandboxd.cli.commands." + name.replace("-", "_"))


def build_parser(name: str, command: Command) -> argparse.ArgumentParser:
    """The argument parser of one command."""
    from sandboxd.cli._parser import HelpFormatter, Parser

    parser = Parser(
        prog=f"sandboxd {name}",
        description=command.__doc__,
        formatter_class=HelpFormatter,
    )
    command.configure(parser)
    return parser


def run(argv: list[str]) -> int:
    """Run `argv` (without the program's name); every error ends as a message and an exit code."""
    try:
        code = _dispatch(argv)
        # Flush here: errors at Python's own flush at exit could not be reported.
        sys.stdout.flush()
        return code
    except SandboxdError as error:
        terminal.error(error)
        _flush_or_discard()
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not worth a word.
        _discard_output()
        return EXIT_OK
    except KeyboardInterrupt as error:
        terminal.status("interrupted")
        return getattr(error, "exit_code", 130)
    except OSError as error:
        if error.errno == errno.EIO and _is_terminal_gone():
            # Nobody reads what could be said: as if SIGHUP had ended us.
            _discard_output()
            os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
            return _EXIT_HANGUP
        if error.errno == errno.ENOENT and _is_folder_gone():
            terminal.error(
                EnvironmentFailure(
                    "the folder that this shell is in was removed",
                    '`cd` to a folder that exists; `cd "$PWD"` if it was made anew',
                )
            )
            return EXIT_ENVIRONMENT
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return _bug(argv, error)
        reason = (error.strerror or "no space left").lower()
        terminal.error(EnvironmentFailure(f"cannot write: {reason}", "free some space"))
        _discard_output()
        return EXIT_ENVIRONMENT
    except Exception as error:
        return _bug(argv, error)


def _is_folder_gone() -> bool:
    """Whether the current folder was removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def _is_terminal_gone() -> bool:
    """Whether stdout or stderr is a terminal that was closed: it refuses even an empty write."""
    for stream in (sys.stdout, sys.stderr):
        try:
            os.write(stream.fileno(), b"")
        except OSError as error:
            return error.errno == errno.EIO
    return False


def _flush_or_discard() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()


def _discard_output() -> None:
    """Redirect stdout to nothing, so that Python does not fail to flush it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(argv: list[str]) -> int:
    if argv[:1] == ["help"] and len(argv) > 1:
        argv = [*argv[1:], "--help"]
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        return EXIT_OK if argv else EXIT_USAGE
    if argv[0] in ("--version", "-V"):
        print(f"sandboxd {__version__}")
        return EXIT_OK
    command = load_command(argv[0])
    if argv[0] in _MAKES:
        from sandboxd.cli.interruption import raise_on_signals

        raise_on_signals()
    arguments: Any = plain_arguments.read(command.configure, argv[1:])
    if arguments is None:
        from sandboxd.cli._parser import parse

        arguments = parse(build_parser(argv[0], command), argv[1:])
    if hasattr(arguments, "on"):
        from sandboxd.cli import where

        where.settle(argv[0], arguments)
        if arguments.on:
            from sandboxd.cli.on_cluster import options

            options.refuse(arguments, getattr(command, "NEEDS", {}))
    return command.run(arguments)


# Commands that make containers or files, and take away what is half made when they are interrupted.
_MAKES = ("up", "down", "verify", "review", "bench", "generate", "init", "self-test")

_GROUPS = {
    "look at configs": ("check", "explain", "rules"),
    "ask for a sandbox": (
        "init", "generate", "explain-plan", "trust", "policy", "credentials", "export",
    ),
    "work in it": (
        "up", "agent", "exec", "shell", "cp", "logs", "forward", "ssh", "restart", "down", "list", "review", "bench",
    ),
    "know what holds": ("status", "verify", "drift", "egress", "audit"),
    "this machine": ("doctor", "recommend", "setup", "daemon", "prune", "self-test"),
    "editors and shells": ("lsp", "schema", "completion"),
}  # fmt: skip
_OTHERS = "more"


def overview() -> str:
    """The text of `sandboxd --help`: groups in the order of first use, other commands last."""
    names = command_names()
    width = max(len(name) for name in names)
    grouped = {name for group in _GROUPS.values() for name in group}
    groups = _GROUPS | {_OTHERS: tuple(name for name in names if name not in grouped)}
    parts = []
    for title, group in groups.items():
        rows = [f"  {name:<{width}}  {load_command(name).HELP}\n" for name in group]
        if rows:
            parts.append(f"{title}:\n" + "".join(rows))
    return (
        "usage: sandboxd COMMAND [ARGUMENT ...]\n\n"
        "Finds what a dev container config gives away, generates a sandboxed one,\n"
        "runs the workspace in it and proves that it holds.\n\n"
        + "\n".join(parts)
        + "\n`sandboxd COMMAND --help` explains one command,\n"
        "`sandboxd --version` prints the version."
    )


def _did_you_mean(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=1)
    return f"did you mean `sandboxd {close[0]}`?" if close else "see `sandboxd --help`"


def _bug(argv: list[str], error: Exception) -> int:
    """Write a report that can be pasted into an issue, and say where it is."""
    from sandboxd.cli.crash import write_report

    path = write_report(argv, error)
    terminal.error(
        SandboxdError(
            f"this is a bug in sandboxd {__version__}: {type(error).__name__}: {error}",
            f"please report it with the file `{path}`" if path else "please report it",
        )
    )
    return EXIT_BUG
