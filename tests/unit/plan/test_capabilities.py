"""Capabilities that a sandboxd.toml asks for: those that the profile lets be added, and after a grant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.errors import UsageError
from sandboxd.plan import capabilities, profiles


def refuse(*names: str, trusted: bool) -> None:
    asked: Any = SimpleNamespace(capabilities=[SimpleNamespace(value=name) for name in names])
    profile: Any = profiles.load("dev")._replace(cap_add=("CHOWN",), cap_may_add=("SYS_PTRACE",))
    capabilities.refuse(profile, asked, trusted, "`sandboxd trust`")


def test_what_the_profile_has_needs_nothing() -> None:
    refuse("CHOWN", trusted=False)


def test_what_may_be_added_needs_a_grant() -> None:
    refuse("SYS_PTRACE", trusted=True)
    with pytest.raises(UsageError, match="does not have `SYS_PTRACE`") as caught:
        refuse("SYS_PTRACE", trusted=False)
    assert caught.value.hint == "`sandboxd trust`"


@pytest.mark.parametrize("trusted", [True, False])
def test_what_may_not_be_added_is_refused_whatever_was_granted(trusted: bool) -> None:
    with pytest.raises(UsageError, match="does not allow capability `SYS_ADMIN`") as caught:
        refuse("SYS_PTRACE", "SYS_ADMIN", trusted=trusted)
    assert "`SYS_PTRACE`" in caught.value.hint
