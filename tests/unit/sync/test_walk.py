"""A long walk of two real folders: both sides write at random, one of them means ill, and both are kept the same.

At rest an outside comparison holds, nothing that anybody wrote is lost, and no file that acts on the host was written
from inside. `SANDBOXD_STEPS` sets the number of steps, `SANDBOXD_SEED` the walk.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
from pathlib import Path

import pytest

from sandboxd.policy.acts_on_host import weigh
from sandboxd.sync.flows import Flow, Policy
from sandboxd.sync.journal import Journal
from sandboxd.sync.local import LocalSide
from sandboxd.sync.retention import Retention
from sandboxd.sync.run import Report, Rest, keep_the_same
from sandboxd.sync.state import above
from sandboxd.sync.stops import Reason

STEPS = int(os.environ.get("SANDBOXD_STEPS", "1000"))
SEED = os.environ.get("SANDBOXD_SEED", "1")

PLAIN = ("a", "b", "c", "src", "lib", "café", "odd name", "Makefile", "conftest.py")
ACTING = (".vscode", ".gitattributes", "lefthook.yml", ".envrc")
OWN = (".git", "build", "secret")
POLICY = Policy(
    is_hidden=lambda path: path.rpartition("/")[2] == "secret",
    is_ignored=lambda path, is_folder: is_folder and path.rpartition("/")[2] == "build",
)
TARGETS = ("a", "b/c", "../a", "../../outside/treasure", "/etc/passwd", ".git/hooks", ".", "..")
MOST_FILES = 60
TREASURE = "host:treasure"


class Actor:
    """Whoever writes on one side."""

    def __init__(self, walk: Walk, name: str, folder: Path) -> None:
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
        return _below(self.folder)

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
        if not _is_file(path) or self.random.random() < 0.5:
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
            has_link = any(path.is_symlink() for path in (old, *_below(old)))
            if os.path.lexists(new) or self._acts(new) or (self.name == "host" and has_link):
                return
            os.rename(old, new)

    def _acts(self, path: Path) -> bool:
        return weigh(str(path.relative_to(self.folder)))[0] in ("control", "never")

    def remove(self) -> None:
        if paths := self._paths():
            path = self.random.choice(paths)
            self.walk.destroy(path)
            _remove(path)

    def clear(self) -> None:
        for path in self.random.sample(sorted(self.folder.iterdir()), k=1):
            self.walk.destroy(path)
            _remove(path)

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
            _remove(path)
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
            _remove(path)
            path.symlink_to(self.walk.outside)


class Walk:
    """Two folders, and what was written in them."""

    def __init__(self, base: Path, chooser: random.Random) -> None:
        self.random = chooser
        self.host, self.inside, self.outside = base / "host", base / "inside", base / "outside"
        for folder in (self.host, self.inside, self.outside):
            folder.mkdir(parents=True)
        (self.outside / "treasure").write_text(TREASURE)
        self.live: set[str] = set()
        self.number = 0
        self.retentions = [
            Retention(str(base / name), lambda: 1_000_000_000) for name in ("kh", "ki")
        ]
        self.objects = [base / name / "objects" for name in ("kh", "ki")]
        self.journal = base / "state" / "journal"
        self.actors = (Actor(self, "host", self.host), Actor(self, "inside", self.inside))
        self._open()

    def _open(self) -> None:
        """As a daemon that starts: it knows what the journal says."""
        self.sides = (
            LocalSide(str(self.host), self.retentions[0], is_host=True),
            LocalSide(str(self.inside), self.retentions[1], is_host=False),
        )
        self.agreed = Journal(str(self.journal))

    def new_text(self, name: str) -> str:
        self.number += 1
        return f"{name}:{self.number}"

    def destroy(self, path: Path) -> None:
        """Its owner lets go of what is at `path` and below it."""
        if path.is_symlink():
            return
        paths = _below(path) if path.is_dir() else [path]
        self.live -= {each.read_text() for each in paths if _is_file(each)}

    def act(self) -> None:
        if self.random.random() < 0.1:
            self.collide()
        else:
            self.random.choice(self.actors).act()

    def collide(self) -> None:
        """Both write the same file before anybody has compared."""
        host, inside = self.actors
        if (path := host.file()) is not None:
            other = self.inside / path.relative_to(self.host)
            with contextlib.suppress(OSError):
                if str(other) == os.path.realpath(other):
                    inside.put(other)
                host.put(path)

    def keep(self, races: float) -> Report:
        """Bring both to rest, while somebody may go on writing for a while."""
        left = 4

        def between() -> None:
            nonlocal left
            if left and self.random.random() < races:
                left -= 1
                self.act()

        removals = 0
        for _ in range(6):
            report = keep_the_same(
                *self.sides, self.agreed, POLICY, removals=removals, between=between
            )
            if report.rest is not Rest.STOPPED:
                return report
            stop = report.last.stop
            assert stop is not None
            assert stop.reason in (Reason.REMOVALS, Reason.EMPTIED), stop
            removals = stop.files
        raise AssertionError("asked again and again")

    # -- what holds at rest

    def look(self, report: Report) -> None:
        assert report.rest is not Rest.BUSY, report
        host, inside = _contents(self.host), _contents(self.inside)
        explained = {stay.path for stay in report.last.stays} | {s.step.path for s in report.skips}
        pipes = {path for path, content in inside.items() if content == "pipe"}
        for path in sorted({*host, *inside} - pipes):
            if host.get(path) != inside.get(path) and not _is_below(path, explained | pipes):
                holds = [
                    each
                    for each in explained | pipes | set(_excluded(self))
                    if each.startswith(f"{path}/")
                ]
                assert holds, (path, host.get(path), inside.get(path), report)
        self.look_for_losses()
        self.look_at_host()

    def look_for_losses(self) -> None:
        texts = {
            path.read_text()
            for folder in (self.host, self.inside)
            for path in _below(folder)
            if _is_file(path)
        }
        for text in self.live - texts:
            assert self._is_retained(text), f"{text} is lost"
            # It is there for seven days, which this walk does not take.
            self.live.discard(text)

    def _is_retained(self, text: str) -> bool:
        name = hashlib.sha256(text.encode()).hexdigest()
        if any((folder / name).exists() for folder in self.objects):
            return True
        odd = (path for folder in self.objects for path in folder.iterdir() if len(path.name) == 32)
        return any(path.read_text() == text for path in odd)

    def look_at_host(self) -> None:
        """No file that acts on the host was written from inside, and no link from there leads out."""
        for path in _below(self.host):
            name = str(path.relative_to(self.host))
            if path.is_symlink():
                assert Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.host)), (
                    name
                )
            elif path.is_file() and not POLICY.rule(name, False).flow & Flow.OUT:
                assert not path.read_text().startswith("inside:"), name
        assert os.listdir(self.outside) == ["treasure"]
        assert (self.outside / "treasure").read_text() == TREASURE


def _below(folder: Path) -> list[Path]:
    return sorted(
        Path(up, name) for up, folders, files in os.walk(folder) for name in (*folders, *files)
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _contents(folder: Path) -> dict[str, str]:
    """What is in a folder, but for what stays where it was made."""
    contents = {}
    for path in _below(folder):
        name = str(path.relative_to(folder))
        if any(_rule_excludes(folder, up) for up in (name, *_ups(name))):
            continue
        if path.is_symlink():
            contents[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            contents[name] = "folder"
        elif path.is_file():
            contents[name] = f"{os.access(path, os.X_OK)} {path.read_text()}"
        else:
            contents[name] = "pipe"
    return contents


def _rule_excludes(folder: Path, name: str) -> bool:
    path = folder / name
    return POLICY.excludes(name, path.is_dir() and not path.is_symlink())


def _excluded(walk: Walk) -> list[str]:
    return [
        name
        for folder in (walk.host, walk.inside)
        for path in _below(folder)
        if _rule_excludes(folder, name := str(path.relative_to(folder)))
    ]


def _ups(path: str) -> list[str]:
    ups = []
    while path := above(path):
        ups.append(path)
    return ups


def _is_below(path: str, explained: set[str]) -> bool:
    return path in explained or not explained.isdisjoint(_ups(path))


def test_both_sides_are_the_same_at_rest_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a crash of the machine leaves is not what this shows.
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    walk = Walk(tmp_path, random.Random(SEED))
    for number in range(STEPS):
        walk.act()
        if walk.random.random() < 0.1:
            walk.keep(races=0.5)
            walk.look(walk.keep(races=0))
        if number % 100 == 99:
            walk._open()
    walk.look(walk.keep(races=0))
