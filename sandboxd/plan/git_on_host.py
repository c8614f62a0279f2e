"""Notes in a plan about how a program that can write the workspace can influence git on the host.

Measured with git 2.47.
"""

from __future__ import annotations

import shlex

from sandboxd.model.control_name import ControlName
from sandboxd.plan.git_links import GitLink
from sandboxd.plan.linked_worktree import path_inside
from sandboxd.plan.notes import Notes
from sandboxd.plan.workspace import WorkspaceFacts

_CONTROL = ControlName.GIT_ON_THE_HOST
_THIS = ControlName.GIT_REPOSITORY
"""The `item` of downgrades that concern only this workspace."""
_INSIDE = "run git inside: `sandboxd exec git status`; profile `untrusted` works on a copy"
_COPY = (
    'commit on the host, or work on a private copy: `sandboxd agent`, or `[workspace] layout = "clone"` in '
    "sandboxd.toml"
)
_MOST_NAMED = 6


def say(facts: WorkspaceFacts, target: str, notes: Notes) -> None:
    """Note what stays open in a workspace that is writable inside.

    :param target: the path of the workspace inside
    """
    for path in facts.not_as_made:
        notes.downgrade(
            _THIS,
            f"`{path}` names another repository: git reads that one's config, which is not pinned",
            f"look at what it names, then `rm {path}`; no command of git leaves it there",
        )
    for path, why in facts.unread:
        notes.downgrade(
            _THIS,
            f"`{path}`: {why}",
            "`git status` and `git config --list --show-origin` on the host say more",
        )
    if facts.linked is not None:
        _say_linked(facts, target, notes)
    elif ".git" in facts.of_kind("file"):
        notes.downgrade(
            _THIS,
            "`.git` is a file that names a repository: nothing of that one is pinned, and where it "
            "lies in the workspace its config can be written from inside",
            _INSIDE,
        )
    if ".git" in facts.of_kind("directory"):
        _say_nested(facts, notes)
        if facts.own_git is None:
            _say_unusual(notes)
    for line in words_of_links(facts.git_links):
        notes.downgrade(_THIS, *line)


def words_of_links(links: tuple[GitLink, ...]) -> list[tuple[str, str]]:
    """A sentence about each of `links`, and the next step; after the first few the others are only counted."""
    words = [
        (
            f"`{link.path}` is a symbolic link to `{link.leads_to}`: git on the host writes through it",
            f"look at it, then take it away before you use git here: `rm {shlex.quote(link.path)}`",
        )
        for link in links[:_MOST_NAMED]
    ]
    if more := len(links) - len(words):
        words.append((f"`.git` has {more} more symbolic links", "`find .git -type l` lists them"))
    return words


def _say_linked(facts: WorkspaceFacts, target: str, notes: Notes) -> None:
    assert facts.linked is not None
    if not path_inside(target, facts.linked):
        why = f"the repository of this work tree cannot be at `{facts.linked.named}` inside: git finds none"
        notes.downgrade(ControlName.GIT_INSIDE, why, _COPY)
    elif facts.own_git is None:
        notes.downgrade(
            ControlName.GIT_INSIDE,
            "the repository of this work tree is read-only inside: `git log`, `status` and `diff` work, a commit "
            "does not, for who can write there has git on the host write into other files of yours; where another "
            "tool than `sandboxd up` starts the sandbox, git finds no repository",
            _COPY,
        )


def _say_unusual(notes: Notes) -> None:
    notes.downgrade(
        ControlName.GIT_INSIDE,
        "`.git` is no repository of the usual form, with `HEAD`, `objects` and `refs` in it and no link among them: "
        "it is read-only inside, so nothing can be committed there",
        _COPY,
    )


def _say_nested(facts: WorkspaceFacts, notes: Notes) -> None:
    notes.downgrade(
        _CONTROL,
        "a program inside can make a repository of its own in any folder, or in the place of a "
        "submodule: its config starts programs with the next `git status` there, or for a submodule at the top"
        + ("" if facts.bare_refused else "; a bare one needs no `.git`"),
        _INSIDE
        + (
            ""
            if facts.bare_refused
            else "; `git config --global safe.bareRepository explicit` closes the second way"
        ),
    )
