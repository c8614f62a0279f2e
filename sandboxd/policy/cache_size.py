"""How much all caches of packages may take: `caches` of the policy, and what holds without it."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.policy import floor

DEFAULT = 20 << 30
"""Bytes."""


def bound(environ: Mapping[str, str]) -> int:
    """The bytes that all caches of an engine may take together.

    :raises UsageError: the policy cannot be read
    """
    return floor.load(environ).caches or DEFAULT
