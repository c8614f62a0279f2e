"""Notes in a plan about what a program that can write the workspace can make git on the host do.

Measured with git 2.47."""

from __future__ import annotations

import shlex

from sandboxd.plan.git_links import GitLink
from sandboxd.plan.linked_worktree import LinkedWorktree, path_inside
from sandboxd.plan.notes import Notes
from sandboxd.plan.workspace import WorkspaceFacts

_CONTROL = "git on the host"
_THIS = "git repository"
"""The item of reasons that hold for this workspace, and for no other."""
_INSIDE = "run git inside: `sandboxd exec git status`; profile `untrusted` works on a copy"
_COPY = (
    'commit on the host, or work on a private copy: `sandboxd agent`, or `[workspace] layout = "clone"` in '
    "sandboxd.toml"
)
_MOST_NAMED = 6


def say(facts: WorkspaceFacts, target: str, notes: Notes) -> None:
    """Note what stays open in a workspace that is writable inside, at `target`."""
    for path in facts.not_as_made:
        notes.downgrade(
            _THIS,
            f"`{path}` names another repository: git reads that one's config, which is not pinned",
            f"look at what it names, then `rm {path}`; no command of git leaves it there",
        )
    if facts.linked is not None:
        _say_linked(facts.linked, target, notes)
    elif ".git" in facts.of_kind("file"):
        notes.downgrade(
            _THIS,
            "`.git` is a file that names a repository: nothing of that one is pinned, and where it "
            "lies in the workspace its config can be written from inside",
            _INSIDE,
        )
    if any(path.startswith(".git/") for path in facts.existing_control_files):
        _say_nested(facts, notes)
        _say_links(notes)
    for line in words_of_links(facts.git_links):
        notes.downgrade(_THIS, *line)


def words_of_links(links: tuple[GitLink, ...]) -> list[tuple[str, str]]:
    """The fault of each of `links`, and the next step; beyond a few they are only counted."""
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


def _say_linked(linked: LinkedWorktree, target: str, notes: Notes) -> None:
    if not path_inside(target, linked):
        why = (
            f"the repository of this work tree cannot be at `{linked.named}` inside: git finds none"
        )
        notes.downgrade("git inside", why, _COPY)
        return
    notes.downgrade(
        "git inside",
        "the repository of this work tree is read-only inside: `git log`, `status` and `diff` work, a commit "
        "does not, for who can write there has git on the host write into other files of yours; where another "
        "tool than `sandboxd up` starts the sandbox, git finds no repository",
        _COPY,
    )


def _say_nested(facts: WorkspaceFacts, notes: Notes) -> None:
    notes.downgrade(
        _CONTROL,
        "a program inside can make a repository of its own in any folder, and enter it into the "
        "index: its config starts programs with the next `git status` there, or at the top"
        + ("" if facts.bare_refused else "; a bare one needs no `.git`"),
        _INSIDE
        + (
            ""
            if facts.bare_refused
            else "; `git config --global safe.bareRepository explicit` closes the second way"
        ),
    )


def _say_links(notes: Notes) -> None:
    notes.downgrade(
        _CONTROL,
        "a program inside can put a symbolic link where git writes, as `.git/COMMIT_EDITMSG` or "
        "`.git/logs/HEAD`: the next commit on the host then writes text of its choice into any file of yours",
        'commit inside: `sandboxd exec git commit`; `[workspace] layout = "clone"` in sandboxd.toml works on a '
        "copy; `sandboxd down` and `sandboxd status` look for such links",
    )
