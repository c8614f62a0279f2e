"""The size limit of all package caches: `caches` of the policy, or its default."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.policy import floor

DEFAULT = 20 << 30
"""Bytes."""


def bound(environ: Mapping[str, str]) -> int:
    """The size in bytes that all caches of an engine may have together.

    :raises UsageError: the policy cannot be read
    """
    return floor.load(environ).caches or DEFAULT
