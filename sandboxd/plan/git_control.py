"""The files of a workspace that decide which programs git on the host runs, besides those with fixed names.

A repository's config names folders of hooks, other configs and programs, by any path. It is read here as git reads it
(git-config(1)), without running git. A condition of `includeIf` counts as true. What a link leads to, such as a
`.git/config` or `.git/hooks` that lies elsewhere, is shut as well as the link.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from sandboxd.plan import git_files
from sandboxd.plan.entrances import Entrances
from sandboxd.plan.git_reader import Reader
from sandboxd.plan.gitlinks import Index
from sandboxd.plan.linked_worktree import linked_worktree, separate_repository, work_tree_above
from sandboxd.policy.protect import REFUSES_BARE
from sandboxd.syntax import git_config


class Exposed(NamedTuple):
    """A file of the workspace that is not mounted read-only, and why a change of it affects the host."""

    path: str
    why: str


class GitControl(NamedTuple):
    """The files of a repository that decide which programs git on the host runs, as paths within the workspace.

    `pins` are to be mounted read-only; they are outside of `.git`, which is read-only as a whole. `folders` are those
    of them that may be created as empty folders. `exposed` stay writable. `common` are existing `commondir` files in
    `.git`, by which a repository names another one. `unread` are files that could not be read, so that it is not known
    what they name. `bare_refused`: the user's own config makes git ignore bare repositories that it merely finds
    (`safe.bareRepository = explicit`). `own` are the absolute paths of the git directories.
    """

    pins: tuple[str, ...] = ()
    folders: frozenset[str] = frozenset()
    exposed: tuple[Exposed, ...] = ()
    bare_refused: bool = False
    common: tuple[str, ...] = ()
    unread: tuple[Exposed, ...] = ()
    own: tuple[str, ...] = ()


def git_control(
    workspace: str,
    of_user: Iterable[str] = (),
    home: str = "",
    settings: Iterable[git_config.Entry] = (),
) -> GitControl:
    """Examine the repository in `workspace`, an absolute path without links.

    :param of_user: config files outside of the workspace that git reads first, as
        `git_user_configs.user_configs` returns them
    :param home: what `~` in a config stands for; '' if it is not known
    :param settings: those in the user's variables, as `git_environment.settings_of` returns them
    """
    reader = Reader(workspace, home)
    for path in of_user:
        reader.user_config(path)
    reader.take(settings)
    # Only the user's own may say so: git does not believe a repository here.
    bare_refused = reader.values.get("safe.barerepository") == "explicit"
    # Files beside a `.git` can have been put there to look like a repository.
    if git_files.kind(workspace, ".git") == "folder":
        reader.repository(".git", workspace)
        # With `.git/HEAD` moved away git would look for a bare repository here. A folder of this name
        # makes it refuse any, and git shows no empty folders (measured with git 2.47).
        reader.pin(REFUSES_BARE, may_make=True)
        reader.submodules()
        reader.entered()
    elif (linked := linked_worktree(workspace)) is not None:
        reader.own.append(linked.common)
        reader.read_config(os.path.join(linked.common, "config"), workspace)
        reader.entered()
    elif own := separate_repository(workspace):
        reader.separate(own)
        reader.entered()
    elif git_files.is_repository(workspace, ""):
        # The workspace is a bare repository itself.
        reader.repository("", workspace)
        reader.exposed["commondir"] = "git reads the config of the repository that it names"
    elif top := work_tree_above(workspace):
        of_top = git_control(top, of_user, home, settings)
        return _below(of_top, os.path.relpath(workspace, top), bare_refused)
    return GitControl(
        tuple(sorted(reader.pins)),
        frozenset(reader.folders),
        tuple(Exposed(path, why) for path, why in sorted(reader.exposed.items())),
        bare_refused,
        tuple(sorted(reader.common)),
        tuple(Exposed(path, why) for path, why in sorted(reader.unread.items())),
        tuple(reader.own),
    )


def _below(top: GitControl, folder: str, bare_refused: bool) -> GitControl:
    """What `top`, of a whole work tree, has in a folder of it."""
    prefix = folder + "/"
    pins = tuple(path[len(prefix) :] for path in top.pins if path.startswith(prefix))
    return GitControl(
        pins,
        frozenset(pins) & {path[len(prefix) :] for path in top.folders},
        tuple(
            Exposed(path[len(prefix) :], why)
            for path, why in top.exposed
            if path.startswith(prefix)
        ),
        bare_refused,
        unread=tuple(
            # A hook outside of the workspace has its absolute path.
            Exposed(path if path.startswith("/") else posixpath.relpath(path, folder), why)
            for path, why in top.unread
        ),
        own=top.own,
    )


class NamedByConfig(NamedTuple):
    """The paths within a work tree that the config of its repository names.

    Git acts on those of `paths`, such as a folder of hooks, whether or not they exist. `links` of them are programs behind
    a link, of which only the target can be pinned. `absent` do not exist; some of them are only words of a command, and
    paths if they come to exist. `configs` are the absolute paths of all files that were read, or will be once they exist, and
    `folders` those of folders in which any new file will be.
    """

    paths: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    configs: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def named_by_config(
    workspace: str, index: Index, inner: Entrances, home: str = ""
) -> NamedByConfig:
    """Read which paths the config of a repository makes git act on.

    :param inner: where git enters repositories below it
    :param home: what `~` in a config stands for; '' if it is not known
    """
    reader = Reader(workspace, home)
    reader.configs_of(index, inner)
    return NamedByConfig(
        frozenset(reader.pins | reader.exposed.keys()),
        frozenset(reader.exposed.keys() - reader.pins - reader.absent),
        frozenset(reader.absent),
        tuple(sorted(reader.configs)),
        tuple(sorted(reader.lists)),
    )
