"""The user's options for a start."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.life.up_down import Replace


class Wishes(NamedTuple):
    """The user's options for a start."""

    name: str = ""
    """The sandbox's name, if several work on the project; '' for the unnamed one."""
    allow_runc: bool = False
    """Allow hardened runc for a profile that needs gVisor."""
    replace: Replace | None = None
    """What to create anew even if it could be reused; work in it is saved first. None: nothing."""
    rebuild: bool = False
    """Build the image even if it exists."""
    hooks: bool = True
    """Run the lifecycle hooks that are due once the sandbox runs."""
    hooks_in_short: bool = False
    """Pass over the output of hooks that failed at the last start already; that they failed again is reported."""
    until_ready: bool = False
    """Leave the stages after `waitFor` to the next start."""
    secrets: Mapping[str, str] = MappingProxyType({})
    """Values for hooks, and for commands until the next start, by variable name; the names are reported to the user."""
    dotfiles: str = ""
    """A repository of the user's to clone and install inside; '' for none."""


WITHOUT_WISHES = Wishes()
