"""The grants that a user gives for one run."""

from __future__ import annotations

from typing import NamedTuple


class Grants(NamedTuple):
    """The user's grants for this run, given outside of the repository."""

    allow_runc: bool = False
    trusted: bool = False
    """Whether the user trusts this content of sandboxd.toml, so that it may remove controls."""


NO_GRANTS = Grants()
