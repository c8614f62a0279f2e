"""Say why a setting is weak, and what to do instead."""

from __future__ import annotations

import argparse
import sys

from sandboxd.cli import terminal
from sandboxd.errors import EXIT_OK, UsageError

HELP = "say why a setting is weak, and what to do instead"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", metavar="RULE", help="the id of a rule, as `check` prints it")


def run(args: argparse.Namespace) -> int:
    from sandboxd import rules

    name = args.rule.strip().lower()
    if name in rules.ids():
        rule = rules.get(name)
        print(_page(name, rule.META.severity.label, (rule.__doc__ or "").strip()))
        return EXIT_OK
    raise UsageError(f"there is no rule `{args.rule}`", _did_you_mean(name, rules.ids()))


def _page(name: str, severity: str, text: str) -> str:
    """The page with its headings marked; as Markdown where stdout is no terminal."""
    if not terminal.colours(sys.stdout):
        return f"# {name}\n\nHighest severity: {severity}.\n\n{text}"
    bold = terminal.BOLD
    lines = [
        terminal.paint(line.removeprefix("## "), bold) if line.startswith("## ") else line
        for line in text.split("\n")
    ]
    return f"{terminal.paint(name, bold)} (up to {severity})\n\n" + "\n".join(lines)


def _did_you_mean(name: str, rule_ids: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, rule_ids, n=1)
    return f"did you mean `{close[0]}`?" if close else "`sandboxd rules` lists them all"
