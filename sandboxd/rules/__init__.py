"""Rules: one module for each weak setting, or one row of a table for each that differs in words and values alone.

A rule has a page (see `page`), `META` and `check(subject, host)`. What `subject` is annotated with is
what the rule is asked about: see :data:`SUBJECTS`. The index beside it, which `./dev docs` writes, says
which rules there are, so that only those are imported that can say something about what is checked.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from sandboxd.rules._index import FAMILIES, RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Protocol

    from sandboxd.findings import Finding, Need, RuleMeta, Skipped
    from sandboxd.host.facts import HostFacts

    class Rule(Protocol):
        """A module of this folder, or a row of a module of `families`."""

        @property
        def META(self) -> RuleMeta: ...

        @property
        def check(self) -> Callable[[Any, HostFacts], Iterable[Finding | Skipped]]: ...


SUBJECTS = {
    "AgentConfig": "sandboxd.model.agent",
    "AppArmorProfile": "sandboxd.model.apparmor",
    "ClusterRole": "sandboxd.model.cluster_role",
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
    "PodSecurityPolicy": "sandboxd.model.pod_security_policy",
    "RoleBinding": "sandboxd.model.role_binding",
    "SeccompProfile": "sandboxd.model.seccomp",
    "Suppression": "sandboxd.model.suppression",
}
"""The types that rules are asked about, and where they are defined."""

_PAGES = os.path.join(os.path.dirname(__file__), "pages")

_loaded: dict[str, Rule] = {}
_by_subject: dict[str, list[tuple[str, tuple[Need, ...]]]] = {}


class StaleIndexError(Exception):
    """The index was not made from the present rules."""


def load() -> Mapping[str, Rule]:
    """All rules by id, in alphabetical order. A rule that cannot be imported stops the program."""
    return {rule: get(rule) for rule in RULES}


def get(rule: str) -> Rule:
    """A rule by its id.

    :raises KeyError: there is no such rule
    :raises StaleIndexError: the index differs from the rule
    """
    loaded = _loaded.get(rule)
    if loaded is None:
        if rule not in RULES:
            raise KeyError(
                f"there is no rule `{rule}` in the index: if it is new, run `./dev docs`"
            )
        loaded = _import(rule)
        # Compared as texts: named tuples of two types are equal where their fields are.
        if loaded is None or repr(RULES[rule]) != repr(
            (subject(loaded), loaded.META.needs, int(loaded.META.severity))
        ):
            raise StaleIndexError(f"the index of rules does not fit `{rule}`: run `./dev docs`")
        _loaded[rule] = loaded
    return loaded


def page(rule: str) -> str:
    """The page of a rule as Markdown, without its title: a module's docstring, for a row `pages/ID.md`.

    :raises KeyError: there is no such rule
    """
    if rule in FAMILIES:
        with open(os.path.join(_PAGES, f"{rule}.md"), encoding="utf-8") as file:
            return file.read().strip()
    return (get(rule).__doc__ or "").strip()


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


def subject(rule: Rule) -> str:
    """The name of the type that the rule checks, or several with `|` between them."""
    annotation: str = rule.check.__annotations__["subject"]
    return annotation


def may_reach(rule: str, severity: int) -> bool:
    """True if a finding of the rule may be as bad as `severity`."""
    return RULES[rule][2] >= severity


def _import(rule: str) -> Rule | None:
    """The rule of that id, None where its family has no such row."""
    family = FAMILIES.get(rule)
    if family is None:
        module: Any = import_module(f"sandboxd.rules.{rule.replace('-', '_')}")
        return module  # type: ignore[no-any-return]
    rows: tuple[Rule, ...] = import_module(f"sandboxd.rules.families.{family}").ROWS
    return next((row for row in rows if row.META.id == rule), None)
