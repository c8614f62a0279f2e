"""The programs that git's config names by a command line: named where they are missing, or cannot be told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.git_control import GitControl, git_control


def control_by(folder: Path, key: str, value: str) -> GitControl:
    """What is found in a repository whose config has this one setting."""
    (folder / ".git").mkdir()
    command = ["git", "config", "-f", str(folder / ".git/config"), key, value]
    subprocess.run(command, check=True)
    return git_control(str(folder))


@pytest.mark.parametrize(
    ("key", "value", "path"),
    [
        ("core.fsmonitor", "tools/watch.sh", "tools/watch.sh"),
        ("diff.external", "./tools/difft", "tools/difft"),
        ("alias.x", "!tools/x.sh", "tools/x.sh"),
        ("alias.x", '!f() { python3 -u tools/x.py "$@"; }; f', "tools/x.py"),
        ("filter.nb.clean", "A=1 sh -c './tools/clean a/b'", "tools/clean"),
        ("alias.x", "!git fetch && bin/after", "bin/after"),
        ("core.alternateRefsCommand", "./tools/refs", "tools/refs"),
        ("gc.recentObjectsHook", "tools/recent", "tools/recent"),
        ("lfs.customtransfer.x.path", "./tools/send", "tools/send"),
        ("lfs.extension.x.clean", "tools/clean %f", "tools/clean"),
    ],
)
def test_a_missing_program_that_git_would_run_is_named(
    tmp_path: Path, key: str, value: str, path: str
) -> None:
    """What is made there from inside would run on the host."""
    (exposed,) = control_by(tmp_path, key, value).exposed
    assert (exposed.path, exposed.why) == (
        path,
        f"`{key.lower()}` of git runs it, and it is missing",
    )


@pytest.mark.parametrize(
    "value", ["log origin/main..HEAD", "!git log origin/main..HEAD", "!echo a/b", "!sed s/a/b/ x"]
)
def test_a_word_that_is_no_program_is_not_named(tmp_path: Path, value: str) -> None:
    control = control_by(tmp_path, "alias.x", value)
    assert (control.exposed, control.unread) == ((), ())


def test_a_program_whose_path_cannot_be_told_is_named(tmp_path: Path) -> None:
    (unread,) = control_by(tmp_path, "core.fsmonitor", "$TOOLS/watch.sh").unread
    assert unread.path == ".git/config" and "`core.fsmonitor`" in unread.why


def test_a_program_behind_a_change_of_folder_is_named(tmp_path: Path) -> None:
    control = control_by(tmp_path, "alias.x", "!cd tools && cd deep; ./x.sh")
    assert "tools/deep/x.sh" in {each.path for each in control.exposed}


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m nbstripout",
        "python -c 'import json'",
        "A=1 /usr/bin/python3.12 -mnbstripout -t",
        "$PYTHON -um PIL",
    ],
)
def test_what_python_imports_from_the_folder_is_named(tmp_path: Path, command: str) -> None:
    """A program inside can make any module that the first one imports."""
    (unread,) = control_by(tmp_path, "filter.nb.clean", command).unread
    assert unread.path == ".git/config" and "`filter.nb.clean` has Python import" in unread.why


@pytest.mark.parametrize(
    "command",
    ["python3 -P -m nbstripout", "python3 -Im nbstripout", "python3 x.py -m a", "grep -m 1"],
)
def test_python_that_imports_nothing_from_there_is_not(tmp_path: Path, command: str) -> None:
    assert control_by(tmp_path, "filter.nb.clean", command).unread == ()


def test_a_recipe_that_an_alias_runs_is_named(tmp_path: Path) -> None:
    (unread,) = control_by(tmp_path, "alias.y", "!make lint").unread
    assert unread.path == ".git/config" and "`alias.y` has `make` run" in unread.why


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.pager", "less --lesskey-file=tools/x"),
        ("core.sshCommand", "ssh -o ProxyCommand=tools/x"),
        ("core.sshCommand", "ssh -oProxyCommand='tools/x %h'"),
        ("core.sshCommand", "ssh -o 'ProxyCommand tools/x %h %p'"),
        ("core.sshCommand", "ssh -F./tools/x"),
        ("core.sshCommand", "ssh -Ftools/x"),
        ("diff.external", "difft --path a:tools/x"),
        ("alias.s", "-c core.fsmonitor=tools/x status"),
        ("alias.s", "-c 'core.sshCommand=ssh -F tools/x' fetch"),
        ("alias.s", "!git -c core.fsmonitor=tools/x status"),
        ("alias.d", "difftool --extcmd=tools/x"),
        ("alias.d", "difftool -y -x tools/x"),
        ("alias.d", "difftool --extcmd='sh -c tools/x'"),
        ("alias.b", "bisect run tools/x"),
        ("alias.r", "rebase --exec tools/x HEAD~3"),
        ("core.editor", "vim -c 'source tools/x'"),
        ("core.editor", "vim --cmd ':so tools/x' -n"),
        ("core.editor", "emacs --eval '(load \"tools/x\")'"),
        ("filter.nb.clean", "awk --file=./tools/x"),
        ("credential.helper", "!curl -d @tools/x"),
    ],
)
def test_a_file_in_one_word_with_an_option_is_shut(tmp_path: Path, key: str, value: str) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/x").write_text("")
    assert "tools/x" in control_by(tmp_path, key, value).pins


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.sshCommand", "ssh -o ProxyCommand=tools/x"),
        ("alias.s", "-c core.fsmonitor=tools/x status"),
        ("alias.d", "difftool --extcmd=tools/x"),
        ("alias.d", "difftool -x tools/x"),
        ("core.editor", "vim -c 'source tools/x'"),
    ],
)
def test_a_missing_one_that_would_be_run_is_named(tmp_path: Path, key: str, value: str) -> None:
    exposed = control_by(tmp_path, key, value).exposed
    assert [each.path for each in exposed] == ["tools/x"]


@pytest.mark.parametrize(
    "value", ["log --color=auto", "log --format=src", "!git log --pretty=format:src,auto"]
)
def test_the_value_of_an_option_is_no_folder(tmp_path: Path, value: str) -> None:
    for name in ("auto", "src"):
        (tmp_path / name).mkdir()
    assert not {"auto", "src"} & set(control_by(tmp_path, "alias.x", value).pins)
