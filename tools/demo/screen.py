"""What the demo shows: a heading per step, each command line before its output."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence

_WIDEST = 160


class DemoError(Exception):
    """A step did not do what it promises."""


class Screen:
    """Runs commands in one folder and environment, and shows them as a person would type them."""

    def __init__(self, environment: Mapping[str, str], folder: str) -> None:
        self.environment = dict(environment)
        self.folder = folder

    def heading(self, number: int, title: str) -> None:
        """Begin a step."""
        line = f"== {number}. {title} =="
        print(f"\n\x1b[1m{line}\x1b[0m" if sys.stdout.isatty() else f"\n{line}", flush=True)

    def say(self, text: str) -> None:
        """A line of explanation."""
        print(text, flush=True)

    def command(self, arguments: Sequence[str]) -> None:
        """Show a command line."""
        print(f"$ {shlex.join(arguments)}", flush=True)

    def run(self, *arguments: str, expect: Collection[int] = (0,), most_lines: int = 60) -> str:
        """Show and run a command, show its output (shortened), and return it.

        :raises DemoError: it ended with an exit code that is not in `expect`
        """
        self.command(arguments)
        done = self.quiet(*arguments)
        lines = done.stdout.rstrip("\n").split("\n") if done.stdout else []
        for line in lines[:most_lines]:
            print(f"  {line if len(line) <= _WIDEST else line[:_WIDEST] + ' ...'}".rstrip())
        if len(lines) > most_lines:
            print(f"  ... {len(lines) - most_lines} more lines")
        if done.returncode or 0 not in expect:
            print(f"  (exit code {done.returncode})")
        sys.stdout.flush()
        if done.returncode not in expect:
            wanted = " or ".join(str(code) for code in sorted(expect))
            raise DemoError(
                f"`{shlex.join(arguments)}` ended with exit code {done.returncode}, not {wanted}"
            )
        return done.stdout

    def quiet(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command without showing it."""
        return subprocess.run(
            arguments,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )


def confirmed(question: str, yes: bool) -> bool:
    """Whether to go on: `--yes`, CI=true without a terminal, or a person's yes."""
    if yes or (os.environ.get("CI") == "true" and not sys.stdin.isatty()):
        return True
    if not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
