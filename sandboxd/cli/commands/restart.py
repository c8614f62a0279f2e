"""Stop the project's sandbox and start it again, as the config asks for now.

What runs in it ends. A private copy stays as it is; the rest of the sandbox's files may be lost, as at any stop
(docs/workspace.md).
"""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli import arguments, progress, where
from sandboxd.cli.commands import _grants, _sandbox
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_FINDINGS, EXIT_OK, SandboxdError
from sandboxd.operations.start_options import StartOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.operations.started import StartedDocument

HELP = "stop the project's sandbox and start it again"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_no_daemon(parser)
    _grants.configure(parser)


def run(args: argparse.Namespace) -> int:
    where.say_here("restart", _sandbox.folder(args))
    options = arguments.chosen(args, StartOptions, name=_sandbox.name(args))
    try:
        started: StartedDocument = operate(
            "restart",
            _sandbox.folder(args),
            options,
            progress.OneLine().say,
            gives_environ=True,
            starts_daemon=not args.no_daemon,
        )
    finally:
        progress.clear()
    runtime = started["runtime"] or "the engine's default"
    terminal.status(f"{started['how']}: profile {started['profile']}, runtime {runtime}")
    print(terminal.printable(started["name"]))
    if started["problem"]:
        terminal.error(SandboxdError(started["problem"], started["hint"]))
        return EXIT_FINDINGS
    return EXIT_OK
