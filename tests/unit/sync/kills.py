"""A program that keeps two folders the same and is killed at every step in turn, one child of its own for each.

It runs as a process without threads, since a process that has some must not fork. The side inside is a folder, or with
the second argument `wire` one behind a reporter, which is killed with it. The last line says how many steps there were;
what does not hold ends it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandboxd.sync import renaming
from sandboxd.sync.engine import Ask, Note, Say, Show
from sandboxd.sync.remote import RemoteSide
from sandboxd.sync.run import Rest, keep_the_same
from sandboxd.sync.session import Pair, Session
from sandboxd.sync.state import Root
from tests.unit.sync.pair import Folders, texts
from tests.unit.sync.playing import PlayedStream

STEPS = (
    *((os, name) for name in ("rename", "unlink", "mkdir", "rmdir", "symlink", "link")),
    *((os, name) for name in ("fchmod", "fsync")),
    (renaming, "_renameat2"),
)
"""What changes a folder or makes it lasting: the program is killed before and after each call of these."""

WRITTEN = {"replaced by inside", "new inside", "ours", "theirs", "new below", "in place of folder"}
WRITTEN |= {"renamed", "acts, by host"}
"""What somebody wrote since both were compared, and what was only renamed."""


def scene(base: Path) -> Folders:
    """Both sides after a day's work of which nothing has passed."""
    folders = Folders(base)
    host, inside = folders.host, folders.inside
    for name in ("replaced", "removed", "moved", "mode", "both", "d/a", "d/b", "e/a", "f", "other"):
        (host / name).parent.mkdir(exist_ok=True)
        (host / name).write_text("renamed" if name == "moved" else f"old {name}")
    folders.keep()
    (inside / "replaced").write_text("replaced by inside")
    (inside / "removed").unlink()
    (inside / "moved").rename(inside / "moved to")
    (inside / "mode").chmod(0o755)
    (inside / "new").mkdir()
    (inside / "new/file").write_text("new inside")
    (inside / "new/link").symlink_to("file")
    (inside / ".gitattributes").write_text("acts, by inside")
    (host / "both").write_text("ours")
    (inside / "both").write_text("theirs")
    shutil.rmtree(host / "d")
    (host / "d").write_text("in place of folder")
    (inside / "d/a").write_text("new below")
    shutil.rmtree(inside / "e")
    (inside / "e").symlink_to("other")
    (host / ".vscode").mkdir()
    (host / ".vscode/tasks.json").write_text("acts, by host")
    return folders


def pair_of(folders: Folders, is_remote: bool) -> Pair:
    """What keeps both the same; the side inside has one identity either way."""
    pair = folders.pair()
    if not is_remote:
        return pair
    status = folders.inside.stat()
    stream = PlayedStream(folders.inside)
    return pair._replace(
        inside=RemoteSide(stream, Root(status.st_dev, status.st_ino), lambda _event: None)
    )


def killed_at(number: int, folders: Folders, is_remote: bool) -> bool:
    """Keep both the same in a child that is killed at a step; False where it ended before."""
    child = os.fork()
    if child == 0:
        left = number

        def step() -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        def around(function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*words: Any, **options: Any) -> Any:
                step()
                result = function(*words, **options)
                step()
                return result

            return run

        for owner, name in STEPS:
            setattr(owner, name, around(getattr(owner, name)))
        shows: list[Ask | Say | Note | Show] = []
        Session(pair_of(folders, is_remote), shows.append).turn()
        is_same = any(isinstance(show, Show) and show.report.rest is Rest.SAME for show in shows)
        os._exit(0 if is_same else 1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


def check(base: Path, number: int, is_remote: bool) -> None:
    """A later start makes both the same, and everything that somebody wrote is there."""
    folders = Folders(base)
    report = keep_the_same(*pair_of(folders, is_remote)[:4])
    assert report.rest is Rest.SAME, (number, report)
    host, inside = texts(folders.host), texts(folders.inside)
    acting = inside.pop(".gitattributes")
    assert acting == "acts, by inside", number
    assert host == inside, (number, host, inside)
    assert set(host.values()) >= WRITTEN, (number, WRITTEN - set(host.values()))
    assert (host["both"], host["d"]) == ("ours", "in place of folder"), number
    assert "old removed" in folders.retained(), number
    assert "old replaced" in folders.retained(), number
    assert os.access(folders.host / "mode", os.X_OK), number
    ours = [path for side in (folders.host, folders.inside) for path in side.rglob(".sandboxd*")]
    assert not ours, (number, ours)


def main(base: Path, is_remote: bool) -> None:
    number = 0
    while True:
        folder = base / str(number)
        folder.mkdir()
        was_killed = killed_at(number, scene(folder), is_remote)
        check(folder, number, is_remote)
        shutil.rmtree(folder)
        if not was_killed:
            break
        number += 1
    print(number)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] == ["wire"])
