"""The grants that a user gives for one run."""

from __future__ import annotations

from typing import NamedTuple


class Grants(NamedTuple):
    """Grants of the user for this run, made outside of the repository."""

    allow_runc: bool = False
    trusted: bool = False
    """This very sandboxd.toml may take controls away."""


NO_GRANTS = Grants()
