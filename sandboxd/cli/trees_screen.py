"""The folders of a workspace that would be faster in memory under gVisor, as a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import screen, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.cli.tree_sizes import Sizes
    from sandboxd.plan.proposed_trees import Proposal, Size

_MEBIBYTE = 1024 * 1024


def lines(sizes: Sizes, proposal: Proposal, columns: int) -> Iterator[str]:
    """The proposal with its price; [] where nothing is proposed and all was looked at."""
    if proposal.trees or proposal.too_large:
        heading = "many files on the host, which are slow there under gVisor:"
        yield terminal.paint(f"\n{heading}", terminal.BOLD)
    for tree in proposal.trees:
        yield from _entry(_words(tree), columns)
    for tree in proposal.too_large:
        text = f"{_words(tree)}; does not fit into the {proposal.limit} that the profile gives"
        yield from _entry(text, columns)
    if proposal.trees:
        text = (
            f"`{proposal.line}` below `[workspace]` in sandboxd.toml; what the host has there is hidden "
            "inside then, and what is made there goes with the sandbox"
        )
        yield from screen.row("      in memory:", text, columns, 17, whole=True)
    if not sizes.is_whole:
        yield ""
        text = "not every folder of the workspace was measured to its end: it has too many files"
        yield from screen.wrap(text, columns)


def _words(tree: Size) -> str:
    least = "" if tree.is_whole else "at least "
    size = f"{least}{tree.files:,} {'file' if tree.files == 1 else 'files'}, {_size(tree.bytes)}"
    return f"`{terminal.one_line(tree.path)}`: {size}, {tree.recent:,} of them changed in the last 7 days"


def _size(size: int) -> str:
    return f"{size / _MEBIBYTE:,.0f} MiB" if size >= _MEBIBYTE else "less than 1 MiB"


def _entry(text: str, columns: int) -> list[str]:
    return screen.row("  -", text, columns, 4, whole=True)
