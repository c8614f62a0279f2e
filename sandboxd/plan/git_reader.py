"""Reads what the configs and hooks of a repository name in its work tree, and gathers what is to be mounted read-only."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable

from sandboxd.model.paths import lies_in
from sandboxd.plan import config_text, git_files, git_hooks, git_programs, git_remotes
from sandboxd.plan.entrances import Entrances, entrances
from sandboxd.plan.git_objects import object_folders
from sandboxd.plan.gitlinks import Index, index_of
from sandboxd.plan.linked_worktree import separate_repository
from sandboxd.syntax import git_config

_DEEPEST_INCLUDE = 10
"""The same limit as git's."""
_MOST_CONFIGS = 256
_MOST_REPOSITORIES = 32
_MOST_FOLDERS = 500

_INCLUDES = re.compile(r"include\.path|includeif\..+\.path", re.IGNORECASE)
_HOOKS = ("core.hookspath", "gitflow.path.hooks")
_WORKTREE = "core.worktree"
_ATTRIBUTES = "core.attributesfile"
_TEMPLATES = "init.templatedir"


class Reader:
    """Gathers pins while it reads configs and what they include."""

    def __init__(self, workspace: str, home: str) -> None:
        self._workspace = workspace
        self._home = home
        self._read: set[tuple[str, str]] = set()
        self.configs: set[str] = set()
        self.pins: set[str] = set()
        self.folders: set[str] = set()
        self.exposed: dict[str, str] = {}
        self.absent: set[str] = set()
        self.common: set[str] = set()
        self.unread: dict[str, str] = {}
        self.own: list[str] = []
        self.lists: set[str] = set()
        self._remotes = git_remotes.Remotes()
        self._worktrees: set[str] = set()
        self.values: dict[str, str] = {}
        """The last value of each setting."""

    def pin(self, path: str, *, may_make: bool = False) -> None:
        if path.startswith(".git/"):
            return
        self.pins.add(path)
        if may_make:
            self.folders.add(path)

    def user_config(self, path: str) -> None:
        """Read a config of the user's own, and pin it if it is in the workspace."""
        self._pin_named(path, "")
        self.read_config(path, self._workspace)

    def take(self, settings: Iterable[git_config.Entry]) -> None:
        """Pin what settings outside of any file name: their relative paths begin at the top of the work tree."""
        for name, value in settings:
            if value and "\0" not in value:
                self.values[name] = value
                # Git takes no relative include from here: the folder of this one is outside.
                self._setting(name, value, self._workspace, self._workspace, 0)

    def objects(self, common: str) -> None:
        """Pin the folders of the workspace from which the repository reads objects: git believes a pack there."""
        known = object_folders(self._workspace, common)
        self.configs.update(f"{folder.path}/info/alternates" for folder in known.folders)
        for folder in known.folders[1:]:
            self.pin(self._inside(folder.path))
        for path in known.refused:
            self._pin_linked(path, "git takes objects from there", "git takes objects from there")

    def repository(self, folder: str, worktree: str) -> None:
        """Read the configs of the repository whose own folder is `folder`, and pin them for the workspace itself, ''."""
        self.own.append(os.path.join(self._workspace, folder))
        if folder:
            self.common.add(posixpath.join(folder, "commondir"))
        else:
            self.pin("hooks", may_make=True)
        self._folder_of_hooks(os.path.join(self._workspace, folder), worktree)
        for name in ("config", "config.worktree"):
            self.pin(posixpath.join(folder, name))
            self.read_config(os.path.join(self._workspace, folder, name), worktree)

    def submodules(self) -> None:
        """Pin what the configs of repositories below `.git/modules` name, whose names may have slashes and which nest."""
        waiting = [".git/modules"]
        looked_at = repositories = 0
        while waiting:
            folder = waiting.pop()
            looked_at += 1
            if looked_at > _MOST_FOLDERS or repositories >= _MOST_REPOSITORIES:
                self.unread[".git/modules"] = (
                    "it has too many submodules to read the config of each"
                )
                return
            if git_files.is_repository(self._workspace, folder):
                repositories += 1
                self.repository(folder, self._worktree_of(folder))
                waiting.append(f"{folder}/modules")
                continue
            waiting += [f"{folder}/{name}" for name in git_files.folders(self._workspace, folder)]

    def separate(self, own: str) -> None:
        """Pin the repository that the file `.git` names, as a whole, if it is in the workspace."""
        self.own.append(own)
        if folder := self._inside(own):
            self.pin(folder)

    def entered(self) -> None:
        """Pin where git enters a repository by a list of its own: in a submodule, which `git status` at the top does, and
        in a linked work tree.

        Where no submodule is yet, since it was not fetched, the folder as a whole: any could be made there.
        """
        top = index_of(self._workspace)
        inner = entrances(self._workspace, top)
        for path, _ in inner.unread:
            self.unread[posixpath.join(path, "index")] = (
                "it cannot be read, so where git enters submodules is open"
            )
        for place in inner.places:
            file = f"{place.path}/.git"
            if not place.is_counted:
                self.exposed[file if place.is_linked else place.path] = (
                    "there are too many submodules and work trees to shut them all, or it leads out of the workspace"
                )
            elif place.in_the_way:
                self.exposed[file if place.is_linked else place.path] = (
                    "git enters a repository there, and it is no folder or behind a link"
                )
            elif place.is_linked or os.path.lexists(os.path.join(self._workspace, file)):
                self.pin(file)
            else:
                self.pin(place.path, may_make=True)
        self.configs_of(top, inner)

    def configs_of(self, index: Index, inner: Entrances) -> None:
        """Pin what the configs of a repository name, in its work tree and in each linked one of `inner`."""
        linked = [
            os.path.join(self._workspace, place.path)
            for place in inner.places
            if place.is_linked and place.is_counted and not place.in_the_way
        ]
        for path in index.configs:
            for worktree in (self._workspace, *linked):
                self.read_config(path, worktree)
        for worktree in (self._workspace, *linked):
            self._folder_of_hooks(index.common, worktree)
        for path, worktree in inner.configs:
            self._folder_of_hooks(os.path.dirname(path), worktree)
        for own in {index.common, *(os.path.dirname(path) for path, _ in inner.configs)}:
            self.objects(own)
        # A submodule and a linked work tree may have settings of their own.
        for path, worktree in inner.configs:
            self.read_config(path, worktree)
        self._other_worktrees(index)
        self._remotes_of(index.common)

    def _other_worktrees(self, index: Index) -> None:
        """Pin what the config names where it has git work in another folder: git starts hooks and programs there."""
        for written in sorted(self._worktrees):
            worktree = os.path.normpath(os.path.join(index.own, written))
            if inside := self._inside(worktree):
                self.unread[inside] = (
                    "`core.worktree` has git work there, so what its index lists is not known"
                )
                for path in index.configs:
                    self.read_config(path, worktree)

    def _remotes_of(self, common: str) -> None:
        """Pin the repositories of the work tree that git takes for remotes by files of its own, or by several settings."""
        self.lists.update(os.path.join(common, name) for name in git_remotes.FOLDERS)
        for file in git_remotes.files_in(common):
            self.configs.add(file.path)
            shown = os.path.relpath(file.path, self._workspace)
            for url in file.urls:
                self._remote(shown, url, file.path, self._workspace)
                name = f"remote.{file.remote}.url"
                self._remotes.add(git_remotes.Setting(name, url, file.path, self._workspace))
        for setting in self._remotes.further():
            self._remote(*setting)

    def _folder_of_hooks(self, own: str, worktree: str) -> None:
        """Pin what the hooks in the git directory `own` run in `worktree`, and what their folder leads to as a link."""
        hooks = os.path.join(own, "hooks")
        # One that becomes a link names something, too.
        self.configs.add(hooks)
        self._pin_upwards(git_files.ways_up(hooks))
        for path in git_files.ways_of(hooks):
            self._pin_hooks(path, f"{self._inside(own) or own}/hooks", worktree)
        self._scripts(hooks, worktree)

    def _pin_hooks(self, path: str, named_by: str, worktree: str) -> None:
        """Pin a folder of hooks that git runs in `worktree`, or name what no mount can shut."""
        if path == self._workspace:
            self.unread[named_by] = (
                "git takes hooks from the top of the work tree, where a program inside can make one"
            )
            for name in git_hooks.NAMES:
                self._pin_named(os.path.join(path, name), "")
        self._pin_named(path, "", may_make=True)
        self._scripts(path, worktree)
        # husky's own hooks there run what lies in the folder above.
        folder, name = os.path.split(path)
        if self._inside(path) and name == "_" and folder != self._workspace:
            self._pin_hooks(folder, named_by, worktree)

    def _scripts(self, folder: str, worktree: str) -> None:
        """Pin what the hooks in a folder run in the workspace; one that comes may run more."""
        key = (os.path.realpath(folder), f"{worktree}\0hooks")
        if key in self._read or len(self._read) >= _MOST_CONFIGS:
            return
        self._read.add(key)
        self.lists.add(folder)
        for hook in git_hooks.hooks_in(self._workspace, folder, worktree):
            self.configs.add(os.path.join(self._workspace, hook.path))
            if hook.why:
                self.unread[hook.path] = hook.why
            self._pin_upwards(hook.upwards)
            for path in hook.runs:
                self._pin_program(path, hook.path, hook.missing)

    def _worktree_of(self, folder: str) -> str:
        """The work tree of a submodule, from its own config."""
        text = config_text.inside(self._workspace, f"{folder}/config")
        names = [e.value for e in git_config.parse(text or "").entries if e.name == "core.worktree"]
        return os.path.normpath(os.path.join(self._workspace, folder, (names and names[-1]) or ""))

    def read_config(self, path: str, worktree: str, depth: int = 0) -> None:
        """Pin what the config at `path` names; `worktree` is the base of its relative paths."""
        inside = self._inside(path)
        key = (inside or path, worktree)
        if key in self._read or len(self._read) >= _MOST_CONFIGS or depth > _DEEPEST_INCLUDE:
            return
        self._read.add(key)
        self.configs.add(path)
        real = path
        # No program inside can have made a link that lies elsewhere or in `.git`: git's config may be one.
        if not inside or inside.startswith(".git/"):
            real = os.path.realpath(path)
            self._pin_upwards(git_files.ways_up(path))
            for way in git_files.ways_of(path):
                self._pin_named(way, f"`{inside or path}` leads to it, and it is missing")
                self.configs.add(way)
        at = self._inside(real)
        text = config_text.inside(self._workspace, at) if at else config_text.outside(real)
        if text is None:
            return
        parsed = git_config.parse(text)
        if parsed.broken and inside:
            self.unread[inside] = (
                f"git refuses its line {parsed.broken}, so what it names is not known"
            )
        for name, value in parsed.entries:
            # git, too, ends a path there.
            if value and "\0" not in value:
                self.values[name] = value
                self._setting(name, value, path, worktree, depth)

    def _setting(self, name: str, value: str, path: str, worktree: str, depth: int) -> None:
        if _INCLUDES.fullmatch(name):
            included = self._expand(value, os.path.dirname(path))
            self._pin_named(included, f"`{name}` names it, and it is missing")
            self.read_config(included, worktree, depth + 1)
        elif name == _WORKTREE and worktree == self._workspace:
            self._worktrees.add(value)
        elif name in _HOOKS:
            self._pin_hooks(self._expand(value, worktree), self._inside(path) or path, worktree)
        elif name in (_ATTRIBUTES, _TEMPLATES):
            missing = f"`{name}` names it, and it is missing"
            self._pin_named(self._expand(value, worktree), missing)
        elif git_remotes.names_repository(name):
            self._take_remote(name, value, path, worktree)
        elif git_programs.is_command(name):
            self._command(name, value, path, worktree)

    def _take_remote(self, name: str, value: str, path: str, worktree: str) -> None:
        self._remotes.add(git_remotes.Setting(name, value, path, worktree))
        if not git_remotes.may_be_name(name, value):
            self._remote(name, value, path, worktree)

    def _remote(self, name: str, value: str, path: str, worktree: str) -> None:
        """Pin a repository of the work tree to which git pushes: its hooks run there, and its config counts."""
        place = git_remotes.folder_of(name, value)
        if place is None:
            return
        folder = self._expand(place, worktree)
        inside = self._inside(folder)
        if lies_in(self._workspace, folder) and git_remotes.is_prefix(name):
            self.unread[self._inside(path) or path] = (
                f"`{name}` makes any folder of the work tree a remote, whose hooks git runs"
            )
        if not inside:
            return
        missing = f"`{name}` of git's config names a repository there, and it is missing"
        is_prefix = git_remotes.is_prefix(name)
        for candidate in (folder,) if is_prefix else (folder, f"{folder}.git"):
            end = os.path.realpath(candidate)
            own = self._inside(end)
            if own and git_files.is_repository(self._workspace, own):
                self._pin_named(candidate, missing)
                self._receiver(end)
                return  # git does not look farther
            if is_prefix or not os.path.lexists(candidate):
                self._pin_named(candidate, missing)
                continue
            self._name_link(candidate, end, f"`{name}` of git's config names it")
            inner = f"{end}/.git"
            self._pin_named(inner, missing)
            if os.path.lexists(inner):
                self._receiver(inner)
                return

    def _receiver(self, own: str) -> None:
        """Pin what git runs in the repository to which it pushes; relative paths begin in its git directory `own`."""
        folder, name = os.path.split(own)
        if name == ".git" and (separate := separate_repository(folder)):
            self._pin_named(separate, "")
            own = separate
        if self._inside(own):
            self._folder_of_hooks(own, own)
            self.read_config(os.path.join(own, "config"), own)

    def _command(self, name: str, value: str, path: str, worktree: str) -> None:
        """Pin the programs of the setting `name` in the config at `path`."""
        for word in git_programs.words_of(name, value, worktree):
            if (why := git_programs.why_open(name, word)) and (config := self._inside(path)):
                self.unread[config] = why
            # Without a slash it is searched for in PATH.
            missing = (
                f"`{name}` of git runs it, and it is missing"
                if word.is_run and "/" in word.path
                else ""
            )
            program = self._expand(word.path, worktree)
            # `--color=auto` names no folder `auto`.
            if not (word.is_part and "/" not in word.path and os.path.isdir(program)):
                self._pin_program(program, name, missing)

    def _pin_named(self, path: str, missing: str, *, may_make: bool = False) -> None:
        """Pin `path` if it is in the workspace and exists, or can be made as an empty folder.

        :param missing: the note where it does not exist, '' for none
        """
        # A link in the workspace is a name as well as what it leads to.
        for candidate in {path, os.path.realpath(path)}:
            inside = self._inside(candidate)
            if not inside or inside == ".git":
                continue
            if not os.path.lexists(candidate):
                self.absent.add(inside)
            if os.path.lexists(candidate) or may_make:
                self.pin(inside, may_make=may_make)
            elif missing:
                self.exposed[inside] = missing

    def _pin_program(self, path: str, setting: str, missing: str) -> None:
        """Pin `path` if it exists. Behind a link only the link's target can be pinned.

        :param missing: as of `_pin_named`
        """
        self._pin_linked(path, f"`{setting}` of git runs it", missing)

    def _pin_linked(self, path: str, why: str, missing: str) -> None:
        real = os.path.realpath(path)
        if os.path.lexists(path):
            self._name_link(path, real, why)
        self._pin_named(real, missing)

    def _name_link(self, path: str, real: str, why: str) -> None:
        """Name a path of the workspace that leads to another place: no mount keeps the link as it is."""
        if real != path and self._inside(path):
            self.exposed[self._inside(path)] = f"{why}, and it is behind a link"

    def _expand(self, value: str, base: str) -> str:
        if value.startswith("~/") and self._home:
            value = self._home + value[1:]
        written = os.path.join(base, value)
        self._pin_upwards(git_files.left_upwards(written))
        return os.path.normpath(written)

    def _pin_upwards(self, folders: Iterable[str]) -> None:
        # A link in the place of such a folder would lead elsewhere.
        for folder in folders:
            self._pin_named(folder, "", may_make=True)

    def _inside(self, path: str) -> str:
        return git_hooks.within(self._workspace, path)
