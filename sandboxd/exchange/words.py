"""The result of an exchange in words for a person: the commits that wait on the host, and the command that takes
each.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sandboxd.exchange import ref_names
from sandboxd.exchange.difference import MOST_NEW, Reason
from sandboxd.exchange.ref_names import HEADS, TAGS
from sandboxd.model.sandbox_id import option_of
from sandboxd.screen import first_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.exchange.acting_refs import Waiting
    from sandboxd.exchange.run import Outcome

_MOST_NAMED = 5
_MOST_PATHS = 3
_BY_ITSELF = {
    Reason.HOST_BUSY: "end what is under way on the host, as `git status` says",
    Reason.INSIDE_BUSY: "end what is under way inside: `sandboxd exec git status`",
    Reason.HOST_STAGED: "commit or unstage what is staged on the host: they follow by themselves",
    Reason.OTHER_BRANCH: "switch both sides to one branch: they follow by themselves",
    Reason.NO_INDEX: "`git status` says what is wrong with the index",
    Reason.MISSING: "look at it there: `sandboxd exec git fsck`",
}


ACTS = {
    Reason.NESTED: f"{Reason.NESTED.value}, whose config git would follow",
    Reason.CONTROL: f"{Reason.CONTROL.value}, and tools on the host would act on them",
}
"""What the commits would do on the host, for the reasons that need the user's consent."""


def lines(outcome: Outcome) -> list[tuple[str, str]]:
    """What was not exchanged, each with the next step ('' for none); [] where everything was."""
    if outcome.problem is not None:
        return [(f"commits do not pass: {outcome.why}", outcome.hint)]
    words = [(_of(waiting), _step(waiting)) for waiting in outcome.waiting[:_MOST_NAMED]]
    if more := len(outcome.waiting) - len(words):
        words.append((f"{more} more refs of the sandbox wait", "`git for-each-ref refs/sandboxd`"))
    for stash in outcome.acting[:_MOST_NAMED]:
        paths = f": {named(stash.paths)}" if stash.paths else ""
        # By its id: whoever is inside may have another stash at the ref by the time that this is read.
        step = f"look at it before you apply it, by this id: `{show_stash(stash.oid)}`"
        words.append((f"`{printable(stash.ref)}` is a stash: {ACTS[stash.reason]}{paths}", step))
    if outcome.over:
        words.append(_of_over(outcome.over))
    if outcome.refused:
        words.append((f"{outcome.refused} refs of the sandbox have names that no ref may have", ""))
    if outcome.why:
        words.append((outcome.why, outcome.hint))
    for held in outcome.stays[:_MOST_NAMED]:
        what = _short(held.name)
        words.append((f"`{what}` of the host is not in the sandbox: {held.reason.value}", ""))
    return words


def _of_over(count: int) -> tuple[str, str]:
    most = f"the host takes {MOST_NEW:,} new ones of a sandbox"
    return (
        f"{count:,} branches and tags of the sandbox were not taken: {most}",
        "delete some that nobody needs, inside or, of those that came, on the host",
    )


def _of(waiting: Waiting) -> str:
    what = _short(waiting.name)
    where = f", as `{waiting.ref}`" if waiting.ref else ""
    paths = f": {named(waiting.paths)}" if waiting.paths else ""
    return f"`{what}` of the sandbox waits{where}: {waiting.reason.value}{paths}"


def named(paths: Sequence[str]) -> str:
    """The first few paths in backticks, and how many more there are."""
    return first_of([printable(path) for path in paths[:_MOST_PATHS]], _MOST_PATHS, len(paths))


def printable(text: str) -> str:
    """`text` with each character that UTF-8 cannot encode replaced by `?`."""
    return text.encode("utf-8", "replace").decode()


def _step(waiting: Waiting) -> str:
    if waiting.reason is Reason.CONTROL and not waiting.ref:
        return "switch on the host itself if you want that: it writes those files, which halts the sandbox"
    if waiting.reason in _BY_ITSELF or not waiting.ref:
        return _BY_ITSELF.get(waiting.reason, "")
    return f"`{take(waiting.ref)}` takes it"


def take(ref: str) -> str:
    """The `sandboxd` command that takes the commits that wait at `ref`."""
    owner, rest = ref_names.parts_of(ref)
    name = rest.encode("utf-8", "replace").decode()
    return f"sandboxd review{option_of(ref_names.sandbox_of(owner))} --take {shlex.quote(name)}"


def show_stash(ref: str) -> str:
    """The git command that shows a stash without starting programs that the repository configures."""
    return f"git stash show -p --include-untracked --no-ext-diff --no-textconv {shlex.quote(ref)}"


def _short(name: str) -> str:
    return name.removeprefix(HEADS).removeprefix(TAGS).encode("utf-8", "replace").decode()
