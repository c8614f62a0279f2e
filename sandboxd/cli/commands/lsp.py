"""The language server: diagnostics and quick fixes in an editor, over stdin and stdout.

Editors start it; `docs/editors.md` shows how. The sessions of all editors live in the daemon,
which is started if need be and no policy is against it; where there is none, the session lives in this process. No engine
is needed.
"""

from __future__ import annotations

import argparse
import os
import sys

HELP = "serve an editor (language server protocol)"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="over stdin and stdout (the default)")
    parser.add_argument("--no-daemon", action="store_true", help="serve from this process")
    # vscode-languageclient adds it to every server's command line.
    parser.add_argument("--clientProcessId", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    # A print by mistake must not get between two messages of the protocol.
    outgoing = os.dup(1)
    os.dup2(2, 1)
    if not args.no_daemon:
        _serve_by_daemon(outgoing)
    return _serve_here(outgoing)


def _serve_by_daemon(outgoing: int) -> None:
    """Serve by a daemon of our version and end the process; return when there is none."""
    from sandboxd import __version__
    from sandboxd.cli import daemon_start
    from sandboxd.errors import DaemonError
    from sandboxd.ipc import client, pipe

    try:
        starts = not daemon_start.switched_off_by(os.environ)
        connection = client.connect(os.environ, start=starts)
        if connection is None or connection.daemon_version != __version__:
            return
        stream = client.attach(connection, os.environ)
    except DaemonError as error:
        print(f"served without a daemon: {error.message}", file=sys.stderr)
        return
    pipe.pump(stream, 0, outgoing)


def _serve_here(outgoing: int) -> int:
    import logging

    from sandboxd.host.facts import UNKNOWN, HostFacts
    from sandboxd.lsp import stdio

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("pygls").setLevel(logging.CRITICAL)

    def probe() -> HostFacts:
        from sandboxd.host.probe import probe as ask

        try:
            return ask(os.environ, trial=False)
        except Exception:
            logging.exception("the host could not be asked")
            return UNKNOWN

    return stdio.serve(os.environ, 0, outgoing, probe)
