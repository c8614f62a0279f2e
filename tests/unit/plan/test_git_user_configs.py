"""The config files of the user and of the system are those that git itself reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.git_user_configs import user_configs

SYSTEM, WORKSPACE = "/etc/gitconfig", "/no/such/workspace"


def install(folder: Path) -> str:
    """A git in the folder `bin` of `folder`; returns that `bin`."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/git").touch(0o755)
    return str(folder / "bin")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, [SYSTEM]),
        ({"HOME": "/h"}, [SYSTEM, "/h/.config/git/config", "/h/.gitconfig"]),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, [SYSTEM, "/x/git/config", "/h/.gitconfig"]),
        ({"HOME": "/h", "GIT_CONFIG_GLOBAL": "/g"}, [SYSTEM, "/g"]),
        ({"HOME": "/h", "GIT_CONFIG_GLOBAL": ""}, [SYSTEM]),
        ({"GIT_CONFIG_SYSTEM": "/s"}, ["/s"]),
        ({"GIT_CONFIG_SYSTEM": ""}, []),
        ({"GIT_CONFIG_SYSTEM": "/s", "GIT_CONFIG_NOSYSTEM": "1"}, []),
        ({"GIT_CONFIG_NOSYSTEM": "Yes"}, []),
        ({"GIT_CONFIG_NOSYSTEM": "0"}, [SYSTEM]),
        ({"GIT_CONFIG_NOSYSTEM": "false"}, [SYSTEM]),
        ({"GIT_CONFIG_NOSYSTEM": ""}, [SYSTEM]),
        ({"GIT_CONFIG_GLOBAL": "mine"}, [SYSTEM, f"{WORKSPACE}/mine"]),
    ],
)
def test_the_variables_of_git_decide(environ: dict[str, str], expected: list[str]) -> None:
    assert list(user_configs(environ, WORKSPACE)) == expected


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"GIT_CONFIG_GLOBAL": "{}/other"},
        {"GIT_CONFIG_GLOBAL": ""},
        {"GIT_CONFIG_SYSTEM": "{}/system"},
        {"GIT_CONFIG_SYSTEM": "system"},
        {"GIT_CONFIG_SYSTEM": "{}/system", "GIT_CONFIG_NOSYSTEM": "on"},
        {"XDG_CONFIG_HOME": "{}/xdg"},
    ],
)
def test_git_reads_the_same_files(variables: dict[str, str], tmp_path: Path) -> None:
    for name in (".gitconfig", "other", "system", "xdg/git/config", ".config/git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"[own]\n    place = {name}\n")
    environ = {"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    environ |= {key: value.format(tmp_path) for key, value in variables.items()}
    asked = subprocess.run(
        ["git", "config", "--show-origin", "--get-all", "own.place"],
        cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    origins = [line.partition("\t")[0].removeprefix("file:") for line in asked.stdout.splitlines()]
    read = [path for path in user_configs(environ, str(tmp_path)) if path.startswith(str(tmp_path))]
    assert [str(tmp_path / origin) for origin in origins] == read


def test_a_git_that_is_installed_elsewhere_has_its_own_config_of_the_system(tmp_path: Path) -> None:
    ours = install(tmp_path / "opt")
    expected = (SYSTEM, str(tmp_path / "opt/etc/gitconfig"))
    assert user_configs({"PATH": f"/nowhere:{ours}:/usr/bin"}, WORKSPACE) == expected
    (tmp_path / "links/bin").mkdir(parents=True)
    (tmp_path / "links/bin/git").symlink_to(f"{ours}/git")
    linked = user_configs({"PATH": str(tmp_path / "links/bin")}, WORKSPACE)
    assert linked == (SYSTEM, str(tmp_path / "links/etc/gitconfig"), expected[1])


def test_a_git_of_the_workspace_is_not_the_users(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    hostile = install(workspace / "tools")
    (tmp_path / "inside").symlink_to(hostile)
    for path in (hostile, str(tmp_path / "inside"), "tools/bin", "", "."):
        assert user_configs({"PATH": path}, str(workspace)) == (SYSTEM,), path
    ours = install(tmp_path / "opt")
    assert len(user_configs({"PATH": f"{hostile}:{ours}"}, str(workspace))) == 2
    (tmp_path / "opt/etc").symlink_to(workspace)
    assert user_configs({"PATH": ours}, str(workspace)) == (SYSTEM,)
