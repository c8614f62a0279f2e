"""Those who write on the two sides of a walk at random: one means well, and one means ill."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from pathlib import Path
from typing import Protocol

from sandboxd.policy.acts_on_host import weigh
from sandboxd.sync.wire import TEMPORARY

PLAIN = ("a", "b", "c", "src", "lib", "café", "odd name", "Makefile", "conftest.py")
ACTING = (".vscode", ".gitattributes", "lefthook.yml", ".envrc")
OWN = (".git", "build", "secret")
TARGETS = ("a", "b/c", "../a", "../../outside/treasure", "/etc/passwd", ".git/hooks", ".", "..")
MOST_FILES = 60


class Scene(Protocol):
    """Where they write."""

    random: random.Random
    outside: Path
    live: set[str]

    def new_text(self, name: str) -> str:
        """A text that nobody has written before."""

    def destroy(self, path: Path) -> None:
        """Its owner lets go of what is at `path` and below it."""


class Actor:
    """Whoever writes on one side."""

    def __init__(self, walk: Scene, name: str, folder: Path) -> None:
        self.walk, self.name, self.folder, self.random = walk, name, folder, walk.random

    def act(self) -> None:
        if len(self._paths()) > MOST_FILES:
            return self.clear()
        acts = [self.write, self.write, self.write, self.edit, self.edit, self.rename]
        acts += [self.remove, self.mode, self.link, self.make_folder, self.swap_kind, self.flood]
        if self.name == "inside":
            acts += [self.write_acting, self.write_acting, self.pipe, self.lure]
        with contextlib.suppress(OSError):
            self.random.choice(acts)()
        return None

    def _paths(self) -> list[Path]:
        paths = paths_below(self.folder)
        if self.name == "inside":
            return paths
        # No user writes to a file that the session is writing at this moment.
        return [path for path in paths if not path.name.startswith(TEMPORARY)]

    def _place(self, names: tuple[str, ...] = PLAIN) -> Path:
        folders = [path for path in self._paths() if path.is_dir() and not path.is_symlink()]
        chosen = self.random.choice([self.folder, *folders])
        depth = len(chosen.relative_to(self.folder).parts)
        return (chosen if depth < 3 else self.folder) / self.random.choice(names)

    def file(self) -> Path | None:
        files = [path for path in self._paths() if path.is_file() and not path.is_symlink()]
        return self.random.choice(files) if files else None

    def put(self, path: Path) -> None:
        text = self.walk.new_text(self.name)
        self.walk.destroy(path)
        if not is_file(path) or self.random.random() < 0.5:
            path.unlink(missing_ok=True)
        path.write_text(text)
        self.walk.live.add(text)

    def write(self) -> None:
        names = PLAIN if self.random.random() < 0.8 else (*ACTING, *OWN)
        if self.name == "inside":
            names = PLAIN
        path = self._place(names)
        if not path.is_symlink() and not path.is_dir():
            self.put(path)

    def write_acting(self) -> None:
        path = self._place((*ACTING, *OWN))
        if path.is_dir() and not path.is_symlink():
            path = path / "tasks.json"
        if not path.is_symlink() and not path.is_dir():
            self.put(path)

    def edit(self) -> None:
        # On the host a file may have come from inside; whoever edits one that acts does so on purpose.
        if (path := self.file()) is not None:
            self.put(path)

    def rename(self) -> None:
        paths = [path for path in self._paths() if not self._acts(path)]
        if paths:
            new = self._place()
            old = self.random.choice(paths)
            # Who puts what came from inside where it acts, or a link where it leads out, does so on purpose.
            has_link = any(path.is_symlink() for path in (old, *paths_below(old)))
            if os.path.lexists(new) or self._acts(new) or (self.name == "host" and has_link):
                return
            os.rename(old, new)

    def _acts(self, path: Path) -> bool:
        return weigh(str(path.relative_to(self.folder)))[0] in ("control", "never")

    def remove(self) -> None:
        if paths := self._paths():
            path = self.random.choice(paths)
            self.walk.destroy(path)
            remove(path)

    def clear(self) -> None:
        for path in self.random.sample(sorted(self.folder.iterdir()), k=1):
            self.walk.destroy(path)
            remove(path)

    def mode(self) -> None:
        if (path := self.file()) is not None:
            path.chmod(self.random.choice((0o755, 0o644, 0o600)))

    def link(self) -> None:
        path = self._place()
        if not os.path.lexists(path):
            # Of the host's own links it is the host that answers for.
            path.symlink_to(self.random.choice(TARGETS if self.name == "inside" else ("a", "b/c")))

    def make_folder(self) -> None:
        path = self._place((*PLAIN, "build", ".vscode"))
        if not os.path.lexists(path):
            path.mkdir()
            self.put(path / "f")

    def swap_kind(self) -> None:
        """A folder for a file, or a file for a folder."""
        if paths := [path for path in self._paths() if not path.is_symlink()]:
            path = self.random.choice(paths)
            if self._acts(path):
                return
            was_folder = path.is_dir()
            self.walk.destroy(path)
            remove(path)
            if was_folder:
                self.put(path)
            else:
                path.mkdir()
                self.put(path / "x")

    def flood(self) -> None:
        folder = self._place()
        if not os.path.lexists(folder):
            folder.mkdir()
            for number in range(self.random.choice((1, 5, 15))):
                self.put(folder / f"n{number}")

    def pipe(self) -> None:
        path = self._place()
        if not os.path.lexists(path):
            os.mkfifo(path)

    def lure(self) -> None:
        """A link out of the workspace in the place of a folder."""
        folders = [path for path in self._paths() if path.is_dir() and not path.is_symlink()]
        if folders:
            path = self.random.choice(folders)
            self.walk.destroy(path)
            remove(path)
            path.symlink_to(self.walk.outside)


def paths_below(folder: Path) -> list[Path]:
    return sorted(
        Path(up, name) for up, folders, files in os.walk(folder) for name in (*folders, *files)
    )


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
