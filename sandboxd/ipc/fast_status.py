"""`sandboxd status` answered by a running daemon, without json, re, argparse or asyncio.

Importing those costs more than the whole answer. The daemon renders the text; the two messages
that are needed are put together by hand, with the string coder that `json` itself uses.
Whatever is unusual (another flag, no daemon, another version, a strange answer) goes the long
way, which explains it.
"""

from __future__ import annotations

import os
import sys

from sandboxd.errors import DaemonError
from sandboxd.ipc import messages
from sandboxd.ipc.dial import GREETING_SECONDS, WELCOME, dial, hello
from sandboxd.ipc.named_cluster import names_one

_FORMS = {
    "": "text",
    "--json": "json",
    "--long": "long",
    "--all": "all",
    "--short": "short",
}
_RENDERED = '{"jsonrpc":"2.0","id":2,"result":{"exit":'


def fast_status(arguments: list[str]) -> int | None:
    """Print the daemon's answer and return the exit code; None where the full command has to run.

    :param arguments: those of the command line after `sandboxd`
    """
    form = _FORMS.get(" ".join(arguments))
    if form is None:
        return None
    try:
        if form != "short" and names_one(os.getcwd()):
            return None
        lines = _ask(_request(form))
        answer = _parse(lines) if lines is not None else None
    except (ImportError, AttributeError, OSError, ValueError, DaemonError):
        return None
    if answer is None:
        return None
    code, text = answer
    return code if _print(text) else 0


def _request(form: str) -> bytes:
    """`hello` and `status/render` in one write: one round trip instead of two."""
    render = (
        f'{{"jsonrpc":"2.0","id":2,"method":"{messages.STATUS_RENDER}","params":{{'
        f'"format":"{form}",'
        f'"colour":{"true" if _colour() else "false"},"columns":{_columns()}}}}}\n'
    )
    return (hello(os.environ, os.getcwd()) + render).encode("ascii")


def _ask(request: bytes) -> list[bytes] | None:
    """The two answer lines of the daemon, None without a daemon of this user."""
    connection = dial(os.environ, GREETING_SECONDS)
    if connection is None:
        return None
    try:
        connection.sendall(request)
        received = b""
        while received.count(b"\n") < 2:
            part = connection.recv(262144)
            if not part or len(received) > messages.MAX_LINE:
                return None
            received += part
        return received.split(b"\n")[:2]
    finally:
        connection.close()


def _parse(lines: list[bytes]) -> tuple[int, str] | None:
    """Exit code and text, if both lines look exactly as this version's daemon writes them; else None."""
    from _json import scanstring

    welcome, rendered = lines[0].decode("ascii"), lines[1].decode("ascii")
    if not welcome.startswith(WELCOME) or not rendered.startswith(_RENDERED):
        return None
    start = len(_RENDERED)
    code, separator, _ = rendered[start : start + 16].partition(',"text":"')
    if not separator or not code.isdigit():
        return None
    text, _ = scanstring(rendered, start + len(code) + len(separator), True)
    return int(code), text


def _print(text: str) -> bool:
    """Write to stdout; False when its reader closed it (`
    head`).
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return False
    return True


def _colour() -> bool:
    environ = os.environ
    return not environ.get("NO_COLOR") and environ.get("TERM", "") != "dumb" and sys.stdout.isatty()


def _columns() -> int:
    variable = os.environ.get("COLUMNS", "")
    if variable.isdecimal() and 0 < int(variable) < 10000:
        return int(variable)
    try:
        return os.get_terminal_size(1).columns or 80
    except OSError:
        return 80
