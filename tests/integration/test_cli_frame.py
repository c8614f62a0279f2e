"""The frame around every command: help, version, wrong words, bugs, broken pipes."""

import os
import pathlib
import subprocess
import sys

import pytest

from sandboxd import __version__
from sandboxd.cli import main as cli


def sandboxd(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandboxd", *args],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=60,
    )


def test_version_is_data() -> None:
    done = sandboxd("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"sandboxd {__version__}\n", "")


def test_help_lists_every_command_with_one_line() -> None:
    done = sandboxd("--help")
    assert done.returncode == 0
    for name in cli.command_names():
        line = next(x for x in done.stdout.splitlines() if x.startswith(f"  {name} "))
        assert len(line.split(maxsplit=1)[1]) > 10
    assert done.stderr == ""


def test_help_shows_every_command_once_in_a_group_that_is_there() -> None:
    rows = [line for line in sandboxd("--help").stdout.splitlines() if line.startswith("  ")]
    assert sorted(row.split()[0] for row in rows) == cli.command_names()
    assert {name for group in cli._GROUPS.values() for name in group} <= set(cli.command_names())


def test_no_command_is_a_usage_error_that_shows_the_help() -> None:
    done = sandboxd()
    assert done.returncode == 2
    assert "look at configs:\n  check " in done.stdout


def test_the_help_of_a_command_fills_the_terminal() -> None:
    lines = sandboxd("completion", "--help", COLUMNS="60").stdout.splitlines()
    assert "Print a script that completes sandboxd's commands, options" in lines
    assert any(line.startswith("    sandboxd completion fish > ~/.config/") for line in lines)


@pytest.mark.parametrize("arguments", [["--version"], ["rules"], ["status"], ["check", "/nowhere"]])
def test_a_reader_that_went_away_is_not_worth_a_word(
    arguments: list[str], tmp_path: pathlib.Path
) -> None:
    """Also where the output is so short that it is written only at the end."""
    environ = {name: os.environ[name] for name in os.environ if name != "PYTHONUNBUFFERED"}
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "sandboxd", *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        env={**environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    os.close(writer)
    assert "Broken" not in done.stderr and "Exception" not in done.stderr
    assert done.returncode != 120


def test_a_full_disk_is_no_bug_of_ours() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sandboxd", "rules"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        4,
        "error: cannot write: no space left on device\nhint: free some space\n",
    )


def test_unknown_command_names_the_nearest() -> None:
    done = sandboxd("statsu")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "there is no command `statsu`" in done.stderr
    assert "hint: did you mean `sandboxd status`?" in done.stderr


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["check", "--format", "xml"], "`xml` is no choice of `--format`", "choose one of `"),
        (["completion", "tcsh"], "`tcsh` is no choice", "choose one of `bash`, "),
        (
            ["completion"],
            "`bash` or `fish` or `zsh` is missing",
            "see `sandboxd completion --help`",
        ),
        (["setup"], "`gvisor` or `apparmor` is missing", "see `sandboxd setup --help`"),
        (["daemon", "begin"], "`begin` is no choice", "choose one of `start`, "),
    ],
)
def test_a_value_that_cannot_be_chosen(words: list[str], message: str, hint: str) -> None:
    done = sandboxd(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: {message}\n" in done.stderr
    assert f"hint: {hint}" in done.stderr


def test_unknown_flag_points_at_the_help() -> None:
    done = sandboxd("check", "--bogus")
    assert done.returncode == 2
    assert "--bogus" in done.stderr
    assert "hint: see `sandboxd check --help`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_leaves_a_report_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_argv: list[str]) -> int:
        raise RuntimeError("a rule went wrong")

    monkeypatch.setattr(cli, "_dispatch", broken)
    assert cli.run(["check"]) == 3
    shown = capsys.readouterr().err
    assert "this is a bug in sandboxd" in shown
    assert "Traceback" not in shown
    path = shown.split("with the file `")[1].split("`")[0]
    with open(path, encoding="utf-8") as report:
        text = report.read()
    os.unlink(path)
    assert "Traceback" in text and "command: sandboxd check" in text


def test_control_characters_never_reach_the_terminal() -> None:
    done = sandboxd("\x1b[31mred")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "<U+001B>[31mred" in done.stderr


@pytest.mark.parametrize("words", [["status"], ["check"], ["up"], ["status", "--long"]])
def test_a_folder_that_was_removed_is_no_bug_of_ours(
    words: list[str], tmp_path: pathlib.Path
) -> None:
    """A shell stays in a folder after `rm -r`."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$0" -P -m sandboxd "$@"'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, str(gone), *words],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "error: the folder that this shell is in was removed\n"
        'hint: `cd` to a folder that exists; `cd "$PWD"` if it was made anew\n'
    )
