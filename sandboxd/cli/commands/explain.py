"""Say why a setting is weak, and what to do instead."""

from __future__ import annotations

import argparse
import sys

from sandboxd import terminal
from sandboxd.errors import EXIT_OK, UsageError
from sandboxd.screen import wrap

HELP = "say why a setting is weak, and what to do instead"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rule", metavar="RULE", help="the id of a rule, as `check` prints it")


def run(args: argparse.Namespace) -> int:
    from sandboxd import rules

    name = args.rule.strip().lower()
    if name in rules.ids():
        severity = rules.get(name).META.severity
        print(_page(name, severity.label, rules.page(name)))
        return EXIT_OK
    raise UsageError(f"there is no rule `{args.rule}`", _did_you_mean(name, rules.ids()))


def _page(name: str, severity: str, text: str) -> str:
    """The page with its headings marked; as Markdown where stdout is no terminal."""
    if not sys.stdout.isatty():
        return f"# {name}\n\nHighest severity: {severity}.\n\n{text}"
    bold = terminal.BOLD
    parts = [_part(part) for part in text.split("\n\n")]
    return f"{terminal.paint(name, bold)} (up to {severity})\n\n" + "\n\n".join(parts)


def _part(text: str) -> str:
    """A paragraph filled to the terminal; what is indented and what is listed stays as it is."""
    if text.startswith("## "):
        return terminal.paint(text.removeprefix("## "), terminal.BOLD)
    if text.startswith((" ", "- ", "|")):
        return text
    return "\n".join(wrap(" ".join(text.split("\n")), terminal.width()))


def _did_you_mean(name: str, rule_ids: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, rule_ids, n=1)
    return f"did you mean `{close[0]}`?" if close else "`sandboxd rules` lists them all"
