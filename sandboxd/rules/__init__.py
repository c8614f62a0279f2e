"""Rules: one module for each weak setting, found by looking into this folder.

A rule has a docstring (its page in `docs/rules/`), `META` and `check(subject, host)`. What
`subject` is annotated with is what the rule is asked about: see :data:`SUBJECTS`.
"""

from __future__ import annotations

import os
from importlib import import_module

from sandboxd._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

SUBJECTS = ("Container", "Document", "Suppression")

_loaded: dict[str, ModuleType] = {}


def load() -> Mapping[str, ModuleType]:
    """All rules by id, in alphabetical order. A rule that cannot be imported stops the program."""
    if not _loaded:
        for name in _names():
            module = import_module(f"sandboxd.rules.{name}")
            _loaded[module.META.id] = module
    return _loaded


def ids() -> list[str]:
    """The ids of all rules, without importing them: the file is named after its id."""
    return [name.replace("_", "-") for name in _names()]


def subject(rule: ModuleType) -> str:
    """The name of the type that the rule wants to see."""
    annotation: str = rule.check.__annotations__["subject"]
    return annotation


def _names() -> list[str]:
    return sorted(
        name[:-3]
        for name in os.listdir(os.path.dirname(__file__))
        if name.endswith(".py") and not name.startswith("_")
    )
