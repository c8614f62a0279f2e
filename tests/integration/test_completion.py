"""`sandboxd completion SHELL`, in the shell itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd import rules
from sandboxd.cli import command_tree
from sandboxd.cli.commands import completion
from sandboxd.config.values import profile_names
from tests.integration import shells

pytestmark = pytest.mark.shell

COMMANDS = {command.words[0] for command in command_tree.commands()}

# line -> what its last word becomes
ONE = {
    "sandboxd chec": "check",
    "sandboxd explain-p": "explain-plan",
    "sandboxd check --form": "--format",
    "sandboxd check --format sar": "sarif",
    "sandboxd check --fix --fail-on h": "hint",
    "sandboxd check --format json here/a-f": "here/a-file",
    "sandboxd check here/a-file here/a-f": "here/a-file",
    "sandboxd explain docker-socket-m": "docker-socket-mounted",
    "sandboxd init --profile unt": "untrusted",
    "sandboxd daemon sto": "stop",
    "sandboxd daemon start --h": "--help",
    "sandboxd trust rev": "revoke",
    "sandboxd setup --source pres": "present",
    "sandboxd recommend --for high": "high-security",
    "sandboxd exec -- mkfif": "mkfifo",
    "sandboxd exec --root -- cat here/a-f": "here/a-file",
    "sandboxd completion fi": "fish",
}
# line -> everything that is offered
ALL = {
    "sandboxd ": COMMANDS,
    "sandboxd check --fail-on ": {"error", "warning", "hint", "skipped"},
    "sandboxd daemon ": {"start", "status", "stop", "run", "install", "logs", "forget"},
    "sandboxd explain ": set(rules.ids()),
    "sandboxd init --profile ": set(profile_names()),
    "sandboxd list ": set(),
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for shell in completion.shells():
        command = [sys.executable, "-m", "sandboxd", "completion", shell]
        text = subprocess.run(command, capture_output=True, check=True).stdout
        (folder / shell).write_bytes(text)
    (folder / "here").mkdir()
    (folder / "here" / "a-file").touch()
    (folder / "here" / "a-folder").mkdir()
    return folder


@pytest.fixture(scope="module")
def zsh(scripts: Path) -> Iterator[shells.Zsh]:
    with shells.zsh(scripts / "zsh", scripts) as shell:
        yield shell


def offered(shell: str, scripts: Path, line: str) -> set[str]:
    shells.need(shell)
    return {"bash": shells.bash, "fish": shells.fish}[shell](scripts / shell, line, scripts)


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize("line", ONE)
def test_one_word_fits(shell: str, line: str, scripts: Path) -> None:
    words = {word.rstrip("/") for word in offered(shell, scripts, line)}
    if line.endswith("a-f"):
        assert words == {"here/a-file", "here/a-folder"}
    else:
        assert words == {ONE[line]}


@pytest.mark.parametrize("shell", ["bash", "fish"])
@pytest.mark.parametrize("line", ALL)
def test_all_that_is_offered(shell: str, line: str, scripts: Path) -> None:
    assert offered(shell, scripts, line) == ALL[line]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_where_a_folder_is_wanted_no_file_is_offered(shell: str, scripts: Path) -> None:
    for line in ("sandboxd up --project here/a", "sandboxd daemon start here/a"):
        words = {word.rstrip("/") for word in offered(shell, scripts, line)}
        assert words == {"here/a-folder"}


QUOTED = """
[ "$3" = new ] && compopt() { echo compopt "$1" "$2"; }
source "$1"; cd "$2"; COMP_WORDS=(sandboxd $4 ./e); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sandboxd
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("words", ["exec --", "check", "up --project"])
def test_a_name_that_is_a_command_is_quoted(words: str, scripts: Path, tmp_path: Path) -> None:
    evil = tmp_path / "e;touch ran;x"
    evil.mkdir()

    def tell_words(bash: str) -> set[str]:
        command = ["bash", "--norc", "-c", QUOTED, "bash", scripts / "bash", tmp_path, bash, words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return set(done.stdout.splitlines())

    assert tell_words("new") == {"compopt -o filenames", "./e;touch ran;x"}
    assert tell_words("old") == {"./e\\;touch\\ ran\\;x"}


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_value_after_an_equals_sign(shell: str, scripts: Path) -> None:
    words = offered(shell, scripts, "sandboxd check --format=js")
    assert {word.removeprefix("--format=") for word in words} == {"json"}


@pytest.mark.parametrize("line", [line for line in ONE if not line.endswith("a-f")])
def test_zsh_completes_the_word(line: str, zsh: shells.Zsh) -> None:
    completed, _ = zsh.press_tab(line)
    expected = f"{line.rpartition(' ')[0]} {ONE[line]}"
    assert completed.rstrip(" =") == expected


@pytest.mark.parametrize("line", [line for line in ALL if 0 < len(ALL[line]) < 60])
def test_zsh_lists_what_fits(line: str, zsh: shells.Zsh) -> None:
    completed, shown = zsh.press_tab(line)
    assert completed == line
    assert ALL[line] <= set(shown.split())


def test_zsh_completes_files_folders_and_after_an_equals_sign(zsh: shells.Zsh) -> None:
    for line, completed in {
        "sandboxd check here/a-fi": "sandboxd check here/a-file ",
        "sandboxd up --project here/a": "sandboxd up --project here/a-folder/",
        "sandboxd check --format=js": "sandboxd check --format=json ",
    }.items():
        assert zsh.press_tab(line)[0] == completed


def test_an_unknown_shell_is_refused() -> None:
    command = [sys.executable, "-m", "sandboxd", "completion", "tcsh"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "bash" in done.stderr and "hint:" in done.stderr
