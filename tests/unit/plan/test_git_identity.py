"""Name and e-mail of commits inside: those that git on the host has in the repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.git_identity import KEYS, git_identity


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home/work/shop").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "home/work/shop")], check=True)
    return tmp_path / "home"


def read(home: Path) -> dict[str, str]:
    path = os.path.realpath(home / "work/shop")
    return dict(git_identity(path, [str(home / ".gitconfig")], str(home)))


def of_git(home: Path) -> dict[str, str]:
    values = {}
    for key in KEYS:
        done = subprocess.run(
            ["git", "-C", str(home / "work/shop"), "config", key],
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"},
            check=False,
        )
        if done.returncode == 0:
            values[key] = done.stdout.strip()
    return values


@pytest.mark.parametrize(
    "config",
    [
        "",
        "[user]\n\tname = Ann\n\temail = a@home\n",
        '[user]\n\tname = Ann\n\temail = a@home\n[includeIf "gitdir:~/work/"]\n\tpath = other\n',
        '[user]\n\temail = a@home\n[includeIf "gitdir:~/play/"]\n\tpath = other\n',
        '[user]\n\temail = a@home\n[includeIf "gitdir/i:~/WORK/"]\n\tpath = other\n',
        '[user]\n\temail = a@home\n[includeIf "gitdir:./work/"]\n\tpath = ~/other\n',
        '[user]\n\temail = a@home\n[includeIf "gitdir:work/"]\n\tpath = other\n',
        '[user]\n\temail = a@home\n[includeIf "gitdir:shop/.git"]\n\tpath = other\n',
        "[include]\n\tpath = other\n",
    ],
)
@pytest.mark.parametrize("own", ["", "[user]\n\temail = a@shop\n"])
def test_name_and_email_are_what_git_says(home: Path, config: str, own: str) -> None:
    (home / ".gitconfig").write_text(config)
    (home / "other").write_text("[user]\n\tname = Ann Lee\n\temail = a@work\n")
    with (home / "work/shop/.git/config").open("a") as file:
        file.write(own)
    assert read(home) == of_git(home)


def test_a_repository_has_no_other_file_read(home: Path) -> None:
    (home / "secret").write_text("[user]\n\tname = secret\n")
    (home / "work/shop/.git/config").write_text("[include]\n\tpath = /../../../secret\n")
    with (home / "work/shop/.git/config").open("a") as file:
        file.write(f"[include]\n\tpath = {home}/secret\n")
    assert read(home) == {}


def test_what_could_drive_a_terminal_is_no_name(home: Path) -> None:
    (home / ".gitconfig").write_text('[user]\n\tname = "a\x1b[31m"\n\temail = a@home\n')
    assert read(home) == {"user.email": "a@home"}
