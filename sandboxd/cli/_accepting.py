"""The work of `check --baseline` and `check --write-baseline`."""

from __future__ import annotations

import os
import shlex
from datetime import date
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli._baseline import Baseline, load
from sandboxd.errors import EXIT_OK, UsageError
from sandboxd.files import write_atomic

if TYPE_CHECKING:
    import argparse

    from sandboxd.cli._baseline import Entry
    from sandboxd.cli._checking import Checked, CheckRun


def baseline(args: argparse.Namespace) -> Baseline:
    """The baseline that the arguments name; an empty one if the file is written for the first time.

    :raises UsageError: arguments that do not fit, or a file that is no baseline
    """
    today = date.today().isoformat()
    if not args.write_baseline:
        return load(args.baseline, today)
    if not args.reason:
        raise UsageError(
            "`--write-baseline` accepts findings, and needs to know why",
            "add `--reason 'why these are accepted'`",
        )
    if args.expires:
        try:
            ends = date.fromisoformat(args.expires)
        except ValueError:
            raise UsageError(
                f"`{args.expires}` is no date", "write it as `--expires 2027-01-31`"
            ) from None
        # It would accept no finding, but look as if it did.
        if ends.isoformat() < today:
            raise UsageError(f"`{args.expires}` is over", "name a day to come")
    path = args.write_baseline
    return load(path, today) if os.path.exists(path) else Baseline(path, (), today)


def write(check_run: CheckRun, checked: Checked, args: argparse.Namespace) -> int:
    """Write the baseline that accepts what was found, and say how much that is."""
    current = check_run.baseline
    assert current is not None
    enforced = check_run.policy().enforced
    findings = [f for f in checked.report.findings if f.rule not in enforced]
    text = current.with_findings(findings, args.reason, args.expires or "")
    write_atomic(args.write_baseline, text.encode("utf-8", "surrogatepass"))
    accepted = sum(f.suppressed is None or f.suppressed.by == current.path for f in findings)
    plural = "" if accepted == 1 else "s"
    terminal.status(f"accepted {accepted} finding{plural} in `{args.write_baseline}`")
    for rule in sorted({f.rule for f in checked.report.findings} & enforced.keys()):
        terminal.status(f"`{rule}` stays: `{enforced[rule]}` lets nobody suppress it")
    path = shlex.quote(args.write_baseline)
    terminal.status(f"hint: `sandboxd check --baseline {path}` fails on new ones")
    return EXIT_OK


def report_stale(current: Baseline, checked: Checked) -> None:
    """Name the entries without a finding, which would hide it silently when it comes back, and those that ended."""
    write_anew = f"`sandboxd check --write-baseline {shlex.quote(current.path)} --reason TEXT`"
    if ended := current.ended(checked.report.findings):
        many = "1 entry has" if len(ended) == 1 else f"{len(ended)} entries have"
        terminal.status(f"{many} ended, {_one_of(ended)} on {ended[0].expires} for one")
        terminal.status(f"hint: mend it, or accept it anew: {write_anew}")
    if stale := current.stale(checked.report.findings):
        many = "1 entry is" if len(stale) == 1 else f"{len(stale)} entries are"
        terminal.status(f"{many} about nothing any more, {_one_of(stale)} for one")
        terminal.status(f"hint: {write_anew} leaves them out")


def _one_of(entries: list[Entry]) -> str:
    key = entries[0].key
    return f"`{key.rule}` in `{key.path}`"
