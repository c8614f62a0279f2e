"""What a sandbox left in `.git` is looked for where it could write, also after one that hangs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sandboxd.engine import failures
from sandboxd.engine.client import Engine, Summary
from sandboxd.life import git_left
from sandboxd.plan import git_links

CONTAINER = Summary("1", "sandboxd-x", "img:1", "running", {}, 0)


def mounts(source: str, *, read_only: bool = False) -> dict[str, Any]:
    mount = {"Type": "bind", "Source": source, "Target": "/w", "ReadOnly": read_only}
    return {"HostConfig": {"Mounts": [mount]}}


@pytest.mark.parametrize(
    ("answer", "could"),
    [
        (mounts("/w"), True),
        (mounts("/w", read_only=True), False),
        (mounts("/other"), False),
        (failures.ContainerGone("1"), False),
        (failures.NoAnswer("it hangs", "end it"), True),
    ],
)
def test_a_sandbox_that_could_write(answer: object, could: bool) -> None:
    class Played:
        def inspect(self, _container: str) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

    assert git_left.could_write(cast("Engine", Played()), CONTAINER, "/w") is could


def test_links_are_named_and_what_was_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/COMMIT_EDITMSG").symlink_to("/home/ann/.zshenv")
    lines: list[str] = []
    git_left.say(str(tmp_path), lines.append)
    assert len(lines) == 2 and lines[1].endswith("`rm .git/COMMIT_EDITMSG`")
    monkeypatch.setattr(git_links, "MOST_AT_AN_END", 0)
    lines.clear()
    git_left.say(str(tmp_path), lines.append)
    assert lines[0].startswith("not checked: `.git` for links")
