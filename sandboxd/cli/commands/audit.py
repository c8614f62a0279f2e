"""Show the record: what was trusted, allowed, started, weakened, denied and brought on this machine.

A row says when, what, who and in which sandbox; `--long` shows all that is recorded of each.

sandboxd writes an entry before it gives a sandbox more than it had, and after each start, end, verdict
and review. Each entry names the one before it by its hash, so `--verify` finds what was changed or
cut. Whoever can write as this user can write the whole record anew: only a copy elsewhere shows that.

Exit code 6: `--verify` found that the record is not whole.
"""

from __future__ import annotations

import os
import sys

from sandboxd import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from sandboxd.audit.chain import Reading
    from sandboxd.audit.entry import Entry

HELP = "show the record of what was allowed and done"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--project", metavar="DIR", help="only of the project that DIR lies in", dest="directory"
    )
    parser.add_argument(
        "--since", metavar="WHEN", help="only from then on: `30m`, `2h`, `7d` ago, or `2026-11-27`"
    )
    parser.add_argument("--kind", metavar="KIND", help="only entries of this kind, such as `start`")
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--long", action="store_true", help="with all that is recorded of each entry, below it"
    )
    output.add_argument("--json", action="store_true", help="print an object a line")
    output.add_argument(
        "--otlp", action="store_true", help="print OpenTelemetry logs (OTLP as JSON)"
    )
    output.add_argument(
        "--send",
        action="store_true",
        help="post what is new to the OpenTelemetry collector of OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    output.add_argument("--journald", action="store_true", help="send it to the system's journal")
    output.add_argument(
        "--verify", action="store_true", help="follow the chain, and say where it is broken"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.audit import chain, notes
    from sandboxd.audit.record import Record

    record = Record(notes.folder(os.environ))
    reading = chain.check(record.files(), record.marks())
    if args.verify:
        return _verify(reading)
    if args.send:
        return _send(args, reading, record.folder)
    entries = _chosen(args, reading.entries)
    if args.json:
        import json

        for entry in entries:
            print(json.dumps(entry._asdict()))
    elif args.otlp:
        import json

        from sandboxd import __version__
        from sandboxd.audit import otlp

        print(json.dumps(otlp.request(entries, __version__)))
    elif args.journald:
        from sandboxd.audit import journald

        terminal.status(f"sent {_entries(journald.send(entries))} to the journal")
    else:
        _print(entries, is_long=args.long)
    if reading.faults:
        terminal.status("the record is not whole: `sandboxd audit --verify` says where")
    return 0


def _send(args: argparse.Namespace, reading: Reading, folder: str) -> int:
    """Post each entry once: what was left out by a filter would never be sent.

    :raises UsageError: there is a filter, or no collector is named
    """
    from sandboxd import __version__
    from sandboxd.audit import collector
    from sandboxd.errors import UsageError

    if args.directory or args.since or args.kind:
        raise UsageError(
            "`--send` posts all that is new", "leave `--project`, `--since` and `--kind` out"
        )
    to = collector.collector(os.environ)
    number = collector.send_new(reading.entries, folder, to, __version__)
    terminal.status(f"sent {_entries(number)} to `{to.url}`")
    return 0


def _chosen(args: argparse.Namespace, entries: Iterable[Entry]) -> list[Entry]:
    from sandboxd.audit.entry import KINDS
    from sandboxd.errors import UsageError

    if args.kind and args.kind not in KINDS:
        raise UsageError(f"`{args.kind}` is no kind of entry", f"one of {', '.join(KINDS)}")
    project = _project(args.directory) if args.directory is not None else None
    since = _since(args.since) if args.since else 0.0
    return [
        entry
        for entry in entries
        if entry.time >= since
        and args.kind in (None, entry.kind)
        and project in (None, entry.project)
    ]


def _project(directory: str) -> str:
    from sandboxd.files import find_upward

    file = find_upward(os.path.abspath(directory), "sandboxd.toml")
    return os.path.realpath(os.path.dirname(file) if file is not None else directory)


def _since(text: str) -> float:
    """The moment that `text` names, in seconds since 1970.

    :raises UsageError: it names none
    """
    import time
    from datetime import datetime

    from sandboxd.errors import UsageError
    from sandboxd.operations.egress.durations import seconds

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    try:
        return time.time() - seconds(text)
    except UsageError:
        raise UsageError(
            f"`--since {text}` names no moment", "write `--since 2h`, or `--since 2026-11-27`"
        ) from None


def _print(entries: list[Entry], *, is_long: bool) -> None:
    from sandboxd.cli import audit_screen

    if not entries:
        terminal.status("nothing is recorded of that")
        return
    write = audit_screen.whole if is_long else audit_screen.rows
    for line in write(entries, terminal.width()):
        print(line)


def _verify(reading: Reading) -> int:
    from sandboxd.errors import EXIT_NOT_HELD, EXIT_OK

    for fault in reading.faults:
        print(terminal.one_line(f"broken at entry {fault.number}: {fault.what}"))
    entries = reading.entries
    if reading.rotated:
        terminal.status(
            f"{_entries(reading.rotated)} of the beginning were removed to keep the record small"
        )
    if reading.faults:
        terminal.status(f"the record is not whole ({_entries(len(entries))} read)")
        return EXIT_NOT_HELD
    span = f", from {entries[0].number} to {entries[-1].number}" if entries else ""
    print(f"the record is whole: {_entries(len(entries))}{span}")
    sys.stdout.flush()
    return EXIT_OK


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
