"""Compares paths as text: both are absolute, or relative to one folder; without `..`, and no link is followed."""

from __future__ import annotations


def lies_in(path: str, folder: str) -> bool:
    """Whether `path` is `folder`, or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def overlap(one: str, other: str) -> bool:
    """Whether one of two folders lies in the other."""
    return lies_in(one, other) or lies_in(other, one)
