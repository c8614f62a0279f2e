"""The size limit of all package caches: `caches` of the policy, or its default."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.policy import floor

DEFAULT = 20 << 30
"""The default limit, in bytes."""


def bound(environ: Mapping[str, str]) -> int:
    """The largest total size of all package caches of an engine, in bytes.

    :raises UsageError: the policy cannot be read
    """
    return floor.load(environ).caches or DEFAULT
