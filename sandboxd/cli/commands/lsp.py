"""The language server: diagnostics and quick fixes in an editor, over stdin and stdout.

Editors start it; `docs/editors.md` shows how. It needs no engine and no daemon.
"""

from __future__ import annotations

import argparse
import os
import sys

HELP = "serve an editor (language server protocol)"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="over stdin and stdout (the default)")
    # vscode-languageclient adds it to every server's command line.
    parser.add_argument("--clientProcessId", type=int, help=argparse.SUPPRESS)


def run(_args: argparse.Namespace) -> int:
    import logging

    from sandboxd.host.facts import UNKNOWN, HostFacts
    from sandboxd.lsp import stdio

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    # Whatever prints by mistake must not end up between two messages.
    outgoing = os.dup(1)
    os.dup2(2, 1)

    def probe() -> HostFacts:
        from sandboxd.host.probe import probe as ask

        try:
            return ask(os.environ, trial=False)
        except Exception:
            logging.exception("the host could not be asked")
            return UNKNOWN

    return stdio.serve(os.environ, 0, outgoing, probe)
