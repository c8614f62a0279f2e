"""PATH of a shell and of its container, and the variables of the container in `remoteEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sandboxd.life import user_environment
from sandboxd.life.user_environment import _filled, merge_paths


@pytest.mark.parametrize(
    ("shell", "container", "is_root", "merged"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin", False, "/usr/bin:/bin"),
        # What the image adds stands where the image has it.
        ("/usr/bin:/bin", "/go/bin:/usr/bin:/bin", False, "/go/bin:/usr/bin:/bin"),
        ("/usr/bin:/bin", "/usr/bin:/go/bin:/bin:/end", False, "/usr/bin:/go/bin:/bin:/end"),
        ("/home/a/bin:/bin", "/x:/bin", False, "/x:/home/a/bin:/bin"),
        # Only root gets the folders of root.
        ("/bin", "/usr/sbin:/usr/sbin/x:/xsbin:/bin", False, "/xsbin:/bin"),
        ("/bin", "/usr/sbin:/bin", True, "/usr/sbin:/bin"),
    ],
)
def test_paths_are_merged_as_the_reference_does(
    shell: str, container: str, is_root: bool, merged: str
) -> None:
    assert merge_paths(shell, container, is_root=is_root) == merged


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${containerEnv:PATH}:/x", "/bin:/x"),
        ("${containerEnv:NO}", ""),
        ("${containerEnv:NO:a:b}${containerEnv:PATH:c}", "a/bin"),
        ("${other:PATH} ${containerEnv:PATH", "${other:PATH} ${containerEnv:PATH"),
    ],
)
def test_variables_of_the_container(text: str, value: str) -> None:
    assert _filled(text, {"PATH": "/bin"}) == value


def test_only_what_the_shell_adds_is_given_and_nothing_of_the_shell_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kinds: list[str] = []

    def nobody(_words: Sequence[str], _seconds: float, /) -> bytes:
        raise AssertionError

    def probed(*words: Any) -> dict[str, str]:
        kinds.append(words[3])
        return {
            "PATH": "/own:/bin",
            "LANG": "C",
            "_": "/bin/cat",
            "SHLVL": "1",
            "OLDPWD": "/",
            "PWD": "/w",
        }

    monkeypatch.setattr(user_environment, "_probed", probed)
    for kind in ("", "none"):
        env = user_environment.of_shell(nobody, "dev", ["PATH=/bin", "LANG=C"], kind, print)
        assert env == {"PATH": "/own:/bin"}
    # The specification's default of `userEnvProbe`.
    assert kinds == ["loginInteractiveShell", "none"]
