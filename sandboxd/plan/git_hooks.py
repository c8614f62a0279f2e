"""The hooks of a repository on the host that run what lies in the work tree.

Nobody inside can write a hook, and such a hook runs what they write all the same. `python -m` looks in the present folder
first, which is the top of the work tree: the hook that pre-commit installs is one. Others call a script beside which
they lie, or are a link to a file of the work tree, which takes further ones from there.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from sandboxd.plan import config_text, git_files, git_programs, script_mentions
from sandboxd.plan.tool_folders import KNOWN

NAMES = (
    "applypatch-msg", "commit-msg", "fsmonitor-watchman", "p4-changelist", "p4-post-changelist", "p4-pre-submit",
    "p4-prepare-changelist", "post-applypatch", "post-checkout", "post-commit", "post-index-change",
    "post-merge", "post-receive", "post-rewrite", "post-update", "pre-applypatch", "pre-auto-gc", "pre-commit",
    "pre-merge-commit", "pre-push", "pre-rebase", "pre-receive", "prepare-commit-msg", "proc-receive", "push-to-checkout",
    "reference-transaction", "sendemail-validate", "update",
)  # fmt: skip
"""The names of the files that git runs in a folder of hooks."""
WHY = (
    "it has Python import modules from the top of the work tree, so that a program inside can make one that runs here: "
    "`PYTHONSAFEPATH=1` in your environment keeps Python 3.11 and newer from that"
)
WHY_RECIPE = "it has `{}` run what files of the work tree say, which a program inside can write"
WHY_WRITABLE = "it runs `{}`, which a program inside can write"
WHY_FOLDER = "it names the folder `{}`, in which a program inside can make one that it may run"
WHY_UNKNOWN = "it runs `{}` of a folder that a variable names, which may be one of the work tree"

_MOST = 100
# The folder of the script, as people write it.
_HERE = re.compile(
    r"""\$\(\s*dirname\b[^()]*(?:\([^()]*\)[^()]*)?\)|\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}"""
)
_HERE_AGAIN = re.compile(r"""\$\(cd [-P ]*"?\$HERE\b"?[^()$]*\)""")


class Hook(NamedTuple):
    """A hook, and what it runs in the work tree.

    `path` is that of the hook within the workspace, an absolute one outside of it, `runs` are absolute paths that need not exist, `upwards` folders
    from which it, or what it runs, is reached by `..`, `why` says why more than
    those may run, '' where nothing shows that.
    """

    path: str
    runs: tuple[str, ...]
    why: str
    upwards: tuple[str, ...] = ()

    @property
    def missing(self) -> str:
        """The note on one of `runs` that does not exist."""
        return f"the hook `{self.path}` runs it, and it is missing"


def hooks_in(workspace: str, folder: str, worktree: str) -> Iterator[Hook]:
    """The hooks in a folder, which may lie outside of the workspace or be reached by links.

    :param folder: its absolute path
    :param worktree: the folder in which git runs them, an absolute path
    """
    try:
        present = os.listdir(folder)
    except OSError:
        return
    # What git itself starts comes first: nothing beside it may push it out.
    names = sorted(present, key=lambda name: (name not in NAMES, name))
    for name in [name for name in names if not name.endswith(".sample")][:_MOST]:
        path = posixpath.join(folder, name)
        shown = within(workspace, path) or path
        file = os.path.realpath(path)
        inside = within(workspace, file)
        text = config_text.inside(workspace, inside) if inside else config_text.outside(file)
        if text:
            hook = _hook(workspace, worktree, shown, path, file, text)
            yield hook._replace(upwards=(*git_files.ways_up(path), *hook.upwards))
        else:
            # Also one that is empty, as the first moment of one that is being written: it may run something soon.
            yield Hook(shown, () if os.path.lexists(file) else (file,), "")


def within(workspace: str, path: str) -> str:
    """A path within the workspace, '' for one outside of it, and for the workspace itself."""
    prefix = workspace.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else ""


def _hook(workspace: str, worktree: str, shown: str, path: str, file: str, text: str) -> Hook:
    """The hook at `path` whose text, in `file`, is `text`; `shown` is how it is called."""
    runs: dict[str, None] = {}
    upwards: list[str] = []
    why = ""
    is_linked = posixpath.dirname(file) != posixpath.dirname(path)
    text = _HERE_AGAIN.sub("$HERE", _HERE.sub("$HERE", text))
    for word in git_programs.words_of_script(text):
        if word.is_module:
            why = WHY
        elif word.is_recipe:
            why = why or WHY_RECIPE.format(word.path)
        elif word.is_unknown and word.is_run:
            rest = re.split(r"[)`}]/|^\$\w+/", word.path, maxsplit=1)[-1]
            folders = (posixpath.dirname(file), worktree) if is_linked else (worktree,)
            present = [
                each for each in (posixpath.join(f, rest) for f in folders) if os.path.exists(each)
            ]
            runs |= dict.fromkeys(map(posixpath.normpath, present))
            if is_linked and not present:
                why = why or WHY_UNKNOWN.format(rest)
        elif word.is_run and "/" in word.path:
            upwards += git_files.left_upwards(posixpath.join(worktree, word.path))
            run = posixpath.normpath(posixpath.join(worktree, word.path))
            if _is_made_again(posixpath.relpath(run, workspace)):
                why = why or WHY_WRITABLE.format(word.path)
            else:
                runs[run] = None
    mentions = script_mentions.mentions_in(text, worktree, posixpath.dirname(file))
    for run in mentions.programs:
        inside = posixpath.relpath(run, workspace)
        if _is_made_again(inside):
            why = why or WHY_WRITABLE.format(inside)
        elif not inside.startswith((".git/", "../")):
            runs[run] = None
    # What is run from such a folder anew is not known from here.
    for run in mentions.folders:
        why = why or WHY_FOLDER.format(posixpath.relpath(run, workspace))
    return Hook(shown, tuple(runs), why, tuple(upwards))


def _is_made_again(path: str) -> bool:
    """Whether it lies in a folder that tools remove and make again, such as `node_modules`, which no mount may keep."""
    return any(name in KNOWN for name in path.split("/"))
