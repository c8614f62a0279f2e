"""The manual page, as the two readers of Debian show it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd import errors
from sandboxd.cli import command_tree
from tests.integration import shells
from tools import man_page

EVERY = command_tree.everything()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("man") / "sandboxd.1"
    path.write_text(man_page.page())
    return path


def run(*words: object) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": "/usr/bin:/bin", "MANWIDTH": "500", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}
    command = [str(word) for word in words]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


@pytest.mark.shell
def test_mandoc_finds_no_fault(page: Path) -> None:
    shells.need("mandoc")
    faults = run("mandoc", "-T", "lint", page).stdout.splitlines()
    assert [line for line in faults if "missing date" not in line] == []


@pytest.mark.shell
def test_groff_warns_of_nothing_and_shows_everything(page: Path) -> None:
    shells.need("man")
    done = run("man", "--warnings", "-l", page)
    assert (done.returncode, done.stderr) == (0, "")
    for command in EVERY:
        assert f"sandboxd {' '.join(command.words)}" in done.stdout
        for option in command.options:
            assert option.names == ("-h", "--help") or ", ".join(option.names) in done.stdout


def test_no_text_can_pass_for_a_request() -> None:
    assert man_page._text(".so /etc/passwd") == [r"\&.so /etc/passwd"]
    assert man_page._text(r"a `b\c` - d") == [r"a \fBb\ec\fR \- d"]


def test_every_exit_code_is_explained() -> None:
    known = {getattr(errors, name) for name in dir(errors) if name.startswith("EXIT_")}
    assert set(man_page.EXITS) == known


def test_what_may_be_left_out_stands_in_brackets() -> None:
    needed = {c.words: [a.needed for a in c.arguments] for c in EVERY}
    assert needed["exec",] == needed["explain",] == [True]
    assert needed["bench",] == needed["check",] == [False]
