"""The label that says who made a container, so that nobody's is taken for ours to replace."""

from __future__ import annotations

MADE_BY = "dev.sandboxd.made-by"

UP = "up"
"""Made by `sandboxd up`, which may replace it."""

EDITOR = "editor"
"""Made from what we wrote, by an editor or by hand.

Said there, since an image could bring the label, and say ``up``.
"""
