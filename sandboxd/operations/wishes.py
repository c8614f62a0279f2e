"""What the user asks of a start."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.life.up_down import Replace


class Wishes(NamedTuple):
    """What the user asks of a start."""

    name: str = ""
    """Of the sandbox, where several work on the project; '' for the one without."""
    allow_runc: bool = False
    """Let hardened runc run what needs gVisor."""
    replace: Replace | None = None
    """What is made anew though it would do; the work in it is kept first."""
    rebuild: bool = False
    """Build the image although it is there."""
    hooks: bool = True
    """Run the lifecycle hooks that are due, once the sandbox runs."""
    until_ready: bool = False
    """Of those, leave what comes behind `waitFor` to the next start."""
    secrets: Mapping[str, str] = MappingProxyType({})
    """Values that hooks, and commands until the next start, get inside; their names are told."""
    dotfiles: str = ""
    """A repository of the user's whose files are installed inside, '' for none."""


WITHOUT_WISHES = Wishes()
