"""Arguments that are read without `argparse` come out as `argparse` reads them, or are left to it."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.cli import plain_arguments
from sandboxd.cli.main import build_parser, command_names, load_command
from sandboxd.errors import UsageError

THIN = ("up", "down", "exec", "shell", "logs", "list", "drift", "check")
"""Commands that a daemon, or one question to the engine, answers, and the one that runs in each build."""

WORDS = (
    *("", "-", "--", "ls", "-l", "-la", "a b", "--x y", "-1", "=", "--=", "-h", "--help", "--n"),
    *("--project", "--project=", "--project=/p", "--project=a=b", "--proj", "--allow-runc"),
    *(
        "--allow-runc=1",
        "--build",
        "--verify",
        "--discard",
        "-u",
        "-u=dev",
        "-udev",
        "--user",
        "dev",
    ),
    *("--root", "-w", "/w", "-e", "A=1", "--env", "-T", "-n", "-nT", "--no-stdin", "-f", "--tail"),
    *("--tail=5", "5", "--json", "...", "ü", "\udcff"),
    *("--format", "json", "--format=json", "--format=jsn", "--fail-on", "error", "--fix", "."),
)


def test_rest_is_what_argparse_calls_the_remainder() -> None:
    assert plain_arguments.REST == argparse.REMAINDER


@pytest.mark.parametrize("name", (*THIN, "forward", "restart", "rules", "why", "prune"))
def test_what_is_read_is_what_argparse_reads(name: str) -> None:
    chance = random.Random(name)
    command = load_command(name)
    plain = 0
    for _ in range(4000):
        words = chance.choices(WORDS, k=chance.randint(0, 5))
        arguments = plain_arguments.read(command.configure, words)
        if arguments is None:
            continue
        plain += 1
        try:
            expected = vars(build_parser(name, command).parse_args(words))
        except UsageError as error:
            # It looks for its own options among the words of another command, too.
            assert "ambiguous option" in error.message, words
            continue
        assert vars(arguments) == expected, words
    assert plain > 40


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("up", ["--allow-runc", "--project=/p"]),
        ("down", ["--project", "/p", "--discard"]),
        ("exec", ["-n", "--", "sh", "-c", "exit 7"]),
        ("exec", ["-e", "A=1", "-e", "B=2", "-w", "/", "ls", "-l"]),
        ("shell", ["--root"]),
        ("logs", ["-f", "--tail=5"]),
    ],
)
def test_the_usual_forms_are_plain(name: str, words: list[str]) -> None:
    assert plain_arguments.read(load_command(name).configure, words) is not None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("up", ["--help"]),
        ("up", ["--allow"]),
        ("up", ["extra"]),
        ("up", ["--allow-runc=yes"]),
        ("exec", ["-w"]),
        ("exec", ["-w=/", "ls"]),
        ("exec", ["-w", "--", "ls"]),
        ("exec", ["-nT", "ls"]),
        ("logs", ["--tail", "-5"]),
    ],
)
def test_everything_else_is_left_to_argparse(name: str, words: list[str]) -> None:
    assert plain_arguments.read(load_command(name).configure, words) is None


def test_a_command_with_other_arguments_is_left_to_argparse() -> None:
    left = {
        n for n in command_names() if plain_arguments.read(load_command(n).configure, []) is None
    }
    assert {"setup", "daemon", "review"} <= left
    assert left.isdisjoint(THIN)


@pytest.mark.parametrize("words", [["up"], ["exec", "--", "true"], ["down"], ["shell"]])
def test_nothing_heavy_is_imported_before_the_daemon_is_asked(words: list[str]) -> None:
    script = (
        "import sys; before = set(sys.modules)\n"
        "from sandboxd.cli import main, plain_arguments, through_daemon\n"
        f"command = main.load_command({words[0]!r})\n"
        f"assert plain_arguments.read(command.configure, {words[1:]!r})\n"
        "print(*(set(sys.modules) - before))"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    heavy = {"argparse", "re", "typing", "json", "shutil", "enum", "collections", "socket"}
    assert heavy & set(done.stdout.split()) == set()
