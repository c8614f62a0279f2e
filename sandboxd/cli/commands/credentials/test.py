"""Read a secret and ask its service about it, by one request that changes nothing.

Without a name all are tested. Exit code 0: each was accepted, or its service has no such request. 1: one was
refused. 4: a secret could not be read, or a service not be asked.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli.commands.credentials import _naming
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_FINDINGS, EXIT_OK, EnvironmentFailure, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.credentials.records import Record

HELP = "ask a service what it thinks of a secret"

_CODES = {
    "accepted": EXIT_OK,
    "not asked": EXIT_OK,
    "refused": EXIT_FINDINGS,
    "not known": EXIT_ENVIRONMENT,
}
_COLOURS = {"accepted": terminal.GREEN, "refused": terminal.RED}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="?", metavar="NAME[:ACCOUNT]", help="one credential, or all of a service"
    )


def run(args: argparse.Namespace) -> int:
    codes = set()
    accounts: dict[tuple[str, str], str] = {}
    for record in _chosen(args.name):
        state, words, account = _ask(record)
        label = terminal.paint(f"{state:<9}", _COLOURS.get(state, terminal.YELLOW))
        _naming.show(label, 9, f"{record.name}: {words}")
        codes.add(_CODES[state])
        key = (record.name.service, account)
        first = accounts.setdefault(key, str(record.name))
        if account and first != str(record.name):
            terminal.verdict(f"`{first}` and `{record.name}` are the same account there")
    # Whether one is refused matters more than whether one could not be asked.
    order = (EXIT_FINDINGS, EXIT_ENVIRONMENT, EXIT_OK)
    return next(code for code in order if code in codes)


def _chosen(text: str | None) -> tuple[Record, ...]:
    """The records that are meant: one, or all accounts of a service, or all.

    :raises UsageError: there is none
    """
    from sandboxd.credentials import records

    listed = records.load(os.environ)
    if text is not None:
        listed = tuple(
            each for each in listed if str(each.name) == text or each.name.service == text
        )
    if not listed:
        what = f"no credential `{text}`" if text else "no credential"
        raise UsageError(f"there is {what}", "`sandboxd credentials add NAME` says where one is")
    return listed


def _ask(record: Record) -> tuple[str, str, str]:
    """The state of one credential, the words for the user, and the account that the service names."""
    from sandboxd.cli.commands.credentials import _ssh
    from sandboxd.credentials import service, sources, trial
    from sandboxd.credentials.records import SSH_AGENT

    if record.problem:
        return "not known", record.problem, ""
    try:
        if record.source == SSH_AGENT:
            return _ssh.test(record)
        secret = sources.read(record, os.environ)
        return trial.ask(service.load(record.name.service), secret, os.environ)
    except EnvironmentFailure as error:
        return "not known", f"{error.message}; {error.hint}", ""
