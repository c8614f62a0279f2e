"""Find settings of dev container configs that reach the host, and offer the fix.

Reads the text of the files only: it needs no engine and no daemon. Without PATH it searches the
working directory; `-` reads a file from standard input. Exit code 1 says that there are findings
at or above the threshold, 2 that a file that you named could not be read. A file or folder that a
search met and could not read is named, and does not change the exit code; with `--fail-on skipped` it
is 1 then, and for a template of another program. Below a folder, what git ignores and does not track is
left out, and said to be; not the files that dev container tools read anyway.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.errors import EXIT_BUG, EXIT_FINDINGS, EXIT_OK, EXIT_USAGE, SandboxdError, UsageError

if TYPE_CHECKING:
    import argparse

    from sandboxd.cli._checking import Checked, CheckRun
    from sandboxd.findings import Severity, Skipped
    from sandboxd.render import RuleText

HELP = "find settings that reach the host, and fix them"

_NO_ALLOW = "--no-allow"
_SWITCHES = {
    "--fix": "apply the fixes after which everything still works",
    "--unsafe": "with `--fix`, `--diff`: apply the other fixes, too",
    "--diff": "print what `--fix` would change, and write nothing",
    "--pedantic": "show hints as well",
    _NO_ALLOW: "for reviewers: show what comments, `[[allow]]` and `[rules]` of the project suppress or lower, too",
    "--list-unchecked": "name each part that was not checked, and why",
    "--json": "the same as `--format json`",
    "--list-files": "print the files that would be checked, and their kinds",
    "--strict-coverage": "exit 2 when a part of a file could not be judged",
}
_LEVELS = ("error", "warning", "hint")
_SKIPPED = "skipped"
_DEFAULTS = {
    "format": "text",
    "fail_on": None,
    "stdin_filename": None,
    "baseline": None,
    "write_baseline": None,
    "reason": None,
    "expires": None,
}


def configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("paths", nargs="*", metavar="PATH", help="a file or a folder to search (default: `.`)")
    add("--format", choices=formats(), help="how findings are printed")
    for name, text in _SWITCHES.items():
        add(name, action="store_true", help=text)
    add(
        "--fail-on",
        action="append",
        choices=(*_LEVELS, _SKIPPED),
        help="the lowest severity that makes the exit code 1 (default: warning); `skipped`, also beside a "
        "severity: a file or folder that could not be read does, and a template of another program",
    )
    add("--stdin-filename", metavar="F", help="read standard input, as if it were the file F")
    add("--baseline", metavar="FILE", help="accept the findings that FILE lists")
    add("--write-baseline", metavar="FILE", help="accept today's findings: write them to FILE")
    add("--reason", help="with `--write-baseline`: why they are accepted")
    add("--expires", metavar="DATE", help="with `--write-baseline`: until when, YYYY-MM-DD")
    parser.set_defaults(**_DEFAULTS)


def formats() -> list[str]:
    """The output formats: the modules of `sandboxd.render`."""
    from sandboxd import render

    names = os.listdir(os.path.dirname(render.__file__))
    return sorted(name[:-3] for name in names if name.endswith(".py") and name[0] != "_")


# The characters of paths that a hint repeats.
_LONGEST_HINT = 80
_MOST_SKIPPED = 10


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli._checking import CheckRun
    from sandboxd.lint.analysis import Fixes

    if args.json:
        args.format = "json"
    if args.no_allow and args.write_baseline:
        raise UsageError(
            f"`{_NO_ALLOW}` lets nothing be accepted, and `--write-baseline` accepts it",
            "drop one of them",
        )
    from_stdin = args.stdin_filename is not None or args.paths == ["-"]
    if args.unsafe and not (args.fix or args.diff):
        raise UsageError("`--unsafe` chooses among fixes", "add `--diff` to see them, or `--fix`")
    if from_stdin and args.paths not in ([], ["-"]):
        raise UsageError("`--stdin-filename` reads standard input", f"drop `{args.paths[0]}`")
    failing = _failing(args)
    no_allow = _NO_ALLOW if args.no_allow else ""
    check_run = CheckRun(os.environ, os.getcwd(), _threshold(args), no_allow)
    if args.format == "sarif":
        check_run.fixes = Fixes.EDITS
    if args.list_files:
        _write(check_run.listing(args.paths or ["."]))
        _say_ignored(check_run)
        return EXIT_OK
    if args.baseline or args.write_baseline:
        from sandboxd.cli import _accepting

        check_run.baseline = _accepting.baseline(args)
    if from_stdin:
        checked = check_run.stdin(args.stdin_filename or ".devcontainer/devcontainer.json")
    else:
        checked = check_run.paths(args.paths or ["."])
    if args.write_baseline:
        return _accepting.write(check_run, checked, args)
    if args.fix or args.diff:
        checked = _fix(check_run, checked, args, from_stdin)
    else:
        _print(checked, args, check_run.cwd)
    for skipped in checked.unreadable:
        path = _short(skipped.path, check_run.cwd)
        terminal.error(SandboxdError(f"`{path}` {skipped.reason}", skipped.hint))
    _say_skipped(checked.skipped, check_run.cwd, args.list_unchecked)
    _say_ignored(check_run)
    if check_run.baseline is not None:
        _accepting.report_stale(check_run.baseline, checked)
    if not args.paths or any(map(os.path.isdir, args.paths)):
        _tell_daemon(check_run.cwd)
    if args.strict_coverage and (checked.report.skipped or checked.skipped):
        return EXIT_USAGE
    return _exit_code(checked, failing, fails_on_skipped=_SKIPPED in (args.fail_on or ()))


def _failing(args: argparse.Namespace) -> Severity:
    """The lowest severity that makes the exit code 1; of several that were given, the last."""
    from sandboxd.findings import Severity

    levels = [level for level in args.fail_on or () if level != _SKIPPED]
    return Severity[levels[-1].upper()] if levels else Severity.WARNING


def _threshold(args: argparse.Namespace) -> Severity:
    """The lowest severity that is looked for."""
    from sandboxd.findings import Severity

    if args.pedantic:
        return Severity.HINT
    return min(Severity.WARNING, _failing(args))


def _short(path: str, cwd: str) -> str:
    """`path` relative to the working directory where it lies below it."""
    name = os.path.relpath(path, cwd)
    return path if name.startswith("..") else name


def _say_skipped(skipped: tuple[Skipped, ...], cwd: str, every: bool) -> None:
    """Name the files and folders that a search met and did not read, all of them or the first."""
    shown = skipped if every else skipped[:_MOST_SKIPPED]
    for entry in shown:
        hint = f" ({entry.hint})" if entry.hint else ""
        terminal.status(f"not checked: `{_short(entry.path, cwd)}` {entry.reason}{hint}")
    if more := len(skipped) - len(shown):
        terminal.status(f"not checked: {more} more, which `--list-unchecked` names")


def _say_ignored(check_run: CheckRun) -> None:
    """Name the files that git ignores: tools read them all the same."""
    if not check_run.ignored:
        return
    import shlex

    from sandboxd.render import relative_path

    names = [shlex.quote(relative_path(path, check_run.cwd)) for path in check_run.ignored]
    one = len(names) == 1
    what = "1 file, which git ignores, is" if one else f"{len(names)} files, which git ignores, are"
    which = "it" if one else "them" if not names[3:] else "the first 3"
    terminal.status(f"{what} left out: `sandboxd check {' '.join(names[:3])}` checks {which}")


def _fix(
    check_run: CheckRun, checked: Checked, args: argparse.Namespace, from_stdin: bool
) -> Checked:
    """Apply the fixes, or show them; returns the files as they are afterwards, for the exit code."""
    from sandboxd.cli import _fix_output

    results = check_run.fix(args.unsafe)
    writes = args.fix and not args.diff
    if args.diff:
        for result in results:
            before = check_run.sources[result.source.path]
            name = os.path.relpath(result.source.path, check_run.cwd)
            colour = terminal.colours(sys.stdout)
            _write(_fix_output.diff(before, result.source, name, colour))
    elif from_stdin:
        for result in results:
            _write(result.source.text)
        checked = checked._replace(report=check_run.combine([r.report for r in results]))
    else:
        results = check_run.write(results)
        report = check_run.combine([result.report for result in results])
        checked = check_run.checked(report)
        _print(checked, args, check_run.cwd)
    remaining = check_run.combine([result.report for result in results]).findings
    for line in _fix_output.summary(results, remaining, written=writes, unsafe=args.unsafe):
        terminal.status(line)
    return checked


def _tell_daemon(cwd: str) -> None:
    """Let a running daemon remember the project; nothing is written into it."""
    from sandboxd.files import CONFIG_NAME, find_upward

    config = find_upward(cwd, CONFIG_NAME)
    if config is not None:
        from sandboxd.ipc.announce import announce

        announce(os.environ, os.path.dirname(config), keeps=False)


def _print(checked: Checked, args: argparse.Namespace, cwd: str) -> None:
    from importlib import import_module

    from sandboxd import __version__
    from sandboxd.render import Options

    report = checked.report
    if args.format != "text":
        # A program that reads stdout does not read stderr.
        report = report._replace(skipped=report.skipped + checked.unreadable + checked.skipped)
    options = Options(
        cwd,
        __version__,
        _describe,
        terminal.colours(sys.stdout),
        terminal.width(),
        _again(args),
        _threshold(args),
        args.list_unchecked,
    )
    _write(import_module(f"sandboxd.render.{args.format}").document(report, options))


def _again(args: argparse.Namespace) -> str:
    """The arguments of this command line that decide which findings there are."""
    from sandboxd.findings import Severity

    words = "--pedantic " if _threshold(args) is Severity.HINT else ""
    paths = args.paths
    if args.stdin_filename is not None:
        paths = ["--stdin-filename", args.stdin_filename]
    if sum(map(len, paths)) >= _LONGEST_HINT:
        words += "PATH ..."
    elif paths:
        words += _join(paths)
    return f" {words}".rstrip()


def _join(paths: list[str]) -> str:
    """Names quoted for a shell; `shlex` is only imported where a name needs quotes."""
    if all(path.replace("/", "").replace(".", "").replace("-", "").isalnum() for path in paths):
        return " ".join(paths)
    from shlex import join

    return join(paths)


def _describe(rule: str) -> RuleText:
    from sandboxd import rules
    from sandboxd.render import RuleText

    return RuleText(rules.get(rule).META, rules.page(rule))


def _write(text: str) -> None:
    """Write to stdout; characters that its encoding lacks are replaced."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace", newline="")
    sys.stdout.write(text)


def _exit_code(checked: Checked, failing: Severity, *, fails_on_skipped: bool) -> int:
    if checked.unreadable:
        return EXIT_USAGE
    if not checked.report.files and any(skipped.is_bug for skipped in checked.report.skipped):
        # Nothing at all was judged, which is not clean.
        return EXIT_BUG
    if fails_on_skipped and (checked.skipped or any(s.is_file for s in checked.report.skipped)):
        return EXIT_FINDINGS
    worst = [f for f in checked.report.findings if not f.suppressed and f.severity >= failing]
    return EXIT_FINDINGS if worst else EXIT_OK
