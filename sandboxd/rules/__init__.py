"""Rules: one module for each weak setting.

A rule has a docstring (its page in `docs/rules/`), `META` and `check(subject, host)`. What
`subject` is annotated with is what the rule is asked about: see :data:`SUBJECTS`. The index beside
it, which `./dev docs` writes, says which rules there are, so that only those are imported that can
say something about what is checked.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sandboxd.rules._index import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from sandboxd.findings import Need

SUBJECTS = {
    "AgentConfig": "sandboxd.model.agent",
    "AppArmorProfile": "sandboxd.model.apparmor",
    "Container": "sandboxd.model.container",
    "DaemonConfig": "sandboxd.model.daemon_config",
    "Document": "sandboxd.model.document",
    "Image": "sandboxd.model.image",
    "EditorSettings": "sandboxd.model.editor",
    "EditorTask": "sandboxd.model.editor",
    "FeatureLock": "sandboxd.model.feature",
    "HostHooks": "sandboxd.model.host_hooks",
    "Instructions": "sandboxd.model.agent",
    "Pod": "sandboxd.model.pod",
    "PodContainer": "sandboxd.model.pod",
    "RoleBinding": "sandboxd.model.role_binding",
    "SeccompProfile": "sandboxd.model.seccomp",
    "Suppression": "sandboxd.model.suppression",
}
"""The types that rules are asked about, and where they are defined."""

_loaded: dict[str, ModuleType] = {}
_by_subject: dict[str, list[tuple[str, tuple[Need, ...]]]] = {}


class StaleIndexError(Exception):
    """The index was not made from the present rules."""


def load() -> Mapping[str, ModuleType]:
    """All rules by id, in alphabetical order. A rule that cannot be imported stops the program."""
    return {rule: get(rule) for rule in RULES}


def get(rule: str) -> ModuleType:
    """The module of a rule, which is named after its id.

    :raises KeyError: there is no such rule
    :raises StaleIndexError: the index differs from the rule's module
    """
    module = _loaded.get(rule)
    if module is None:
        if rule not in RULES:
            raise KeyError(
                f"there is no rule `{rule}` in the index: if it is new, run `./dev docs`"
            )
        module = import_module(f"sandboxd.rules.{rule.replace('-', '_')}")
        # Compared as texts: named tuples of two types are equal where their fields are.
        if repr(RULES[rule]) != repr(
            (subject(module), module.META.needs, int(module.META.severity))
        ):
            raise StaleIndexError(f"the index of rules does not fit `{rule}`: run `./dev docs`")
        _loaded[rule] = module
    return module


def ids() -> list[str]:
    """The ids of all rules, in alphabetical order."""
    return list(RULES)


def able(subject: str, value: object) -> Iterator[str]:
    """The rules for `subject` that may have a finding for `value`: one of their needs holds."""
    about = _by_subject.get(subject)
    if about is None:
        about = _by_subject[subject] = [
            (rule, needs)
            for rule, (subjects, needs, _) in RULES.items()
            if subject in subjects.split(" | ")
        ]
    # Plain loops, since this runs some hundred times for each container.
    for rule, needs in about:
        if not needs:
            yield rule
            continue
        for need in needs:
            if need.holds(value):
                yield rule
                break


def subject(rule: ModuleType) -> str:
    """The name of the type that the rule checks, or several with ``
    `` between them.
    """
    annotation: str = rule.check.__annotations__["subject"]
    return annotation


def may_reach(rule: str, severity: int) -> bool:
    """True if a finding of the rule may be as bad as `severity`."""
    return RULES[rule][2] >= severity
