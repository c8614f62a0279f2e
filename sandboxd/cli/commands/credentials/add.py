"""Say where a secret is: in your keyring, a file, a variable of your shell, or what a command prints.

Without an option it is asked for, without showing it, and kept in the keyring where there is one, else
in a file of your config folder that only you can read. With standard input that is no terminal its first
line is the secret. A secret is never an argument: those are seen by every process.

`--env` and `--command` keep nothing: the variable or the command is read at each `sandboxd up`.

`ssh` has no secret: its keys stay in your SSH agent, which signs logins by the keys and to the hosts that
`--key` and `--host` name, and nothing else.
"""

from __future__ import annotations

import os
import sys

from sandboxd import terminal
from sandboxd.cli import following
from sandboxd.cli.commands.credentials import _naming, _ssh
from sandboxd.errors import SandboxdError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.credentials.name import Name
    from sandboxd.credentials.records import Record
    from sandboxd.credentials.secret import Secret

HELP = "say where a secret is"


def configure(parser: argparse.ArgumentParser) -> None:
    _naming.add_name(parser)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--keyring", action="store_true", help="keep it in the keyring, or nowhere")
    place.add_argument(
        "--file", action="store_true", help="keep it in a file that only you can read"
    )
    place.add_argument(
        "--env", metavar="VARIABLE", help="it is in this variable of the shell that calls `up`"
    )
    place.add_argument(
        "--command", metavar="COMMAND", help="it is the first line that this command prints"
    )
    _ssh.configure(parser)


def run(args: argparse.Namespace) -> int:
    from sandboxd.credentials import records, service
    from sandboxd.credentials.records import Record

    name = _naming.name_of(args)
    before = records.find(records.load(os.environ), name)
    place = ""
    if service.load(name.service).uses_agent:
        record = _ssh.record(name, args)
    elif args.key or args.host:
        raise UsageError(f"`--key` and `--host` are for `ssh`, not for `{name}`", "leave them out")
    elif args.env is not None:
        record = Record(name, "environment", (_variable(args.env),))
    elif args.command is not None:
        record = Record(name, "command", _words(args.command))
    else:
        record, place = _keep(args, name, _ask(name))
    try:
        records.put(os.environ, record)
    except SandboxdError:
        if before is None or before.source != record.source:
            _forget(record)
        raise
    if before is not None and before.source != record.source:
        _forget(before)
    code = following.follow()
    if before is not None and record.source != records.SSH_AGENT:
        terminal.verdict(
            "a sandbox that runs uses none of before any more, and this one from its next `sandboxd up` on"
        )
    terminal.verdict(f"`{name}` is in {place or record.where()}")
    terminal.verdict(
        f'a project asks for it: `use = ["{name}"]` below `[credentials]` in its sandboxd.toml'
    )
    terminal.verdict(f"hint: `sandboxd credentials test {name}` asks the service what it thinks")
    return code


def _variable(text: str) -> str:
    if not text or "=" in text or not text.isprintable():
        raise UsageError(
            f"`{text}` cannot be the name of a variable", "name it without `$` and value"
        )
    return text


def _words(text: str) -> tuple[str, ...]:
    import shlex

    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"`{text}` is no command: {error}".lower(), "quote it whole") from None
    if not words or not all(words):
        raise UsageError("the command is empty", "such as `--command 'pass show github'`")
    return words


def _ask(name: Name) -> Secret:
    """The secret, from a prompt that does not show it, or from standard input."""
    from sandboxd.credentials import service
    from sandboxd.credentials.secret import NotASecret, Secret

    if sys.stdin.isatty():
        from getpass import getpass

        described = service.load(name.service)
        terminal.verdict(f"{described.title}: {described.secret}")
        text = getpass(f"secret of {name} (not shown): ")
    else:
        text = sys.stdin.readline()
    try:
        return Secret(text)
    except NotASecret as error:
        why = str(error)
    raise UsageError(f"what was typed is no secret: {why}", f"`sandboxd credentials add {name}`")


def _keep(args: argparse.Namespace, name: Name, secret: Secret) -> tuple[Record, str]:
    """Keep the secret in the place that was asked for, else in the first that there is, and say where."""
    from sandboxd.credentials import sources
    from sandboxd.credentials.records import Record

    why = ""
    if not args.file:
        try:
            sources.source("keyring").write(name, os.environ, secret)
            return Record(name, "keyring"), ""
        except sources.NoSecret as error:
            if args.keyring:
                raise
            why = f"; not in a keyring: {error.message.rpartition(': ')[2]}"
    path = sources.source("file").write(name, os.environ, secret)
    return Record(name, "file"), f"`{path}`, as it is: only this user can read it{why}"


def _forget(record: Record) -> None:
    """Remove what the place of a record holds, which is none any more."""
    from sandboxd.credentials import sources

    if record.source in ("keyring", "file"):
        sources.source(record.source).remove(record.name, os.environ)
