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
    from typing import Any

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
    "Instructions": "sandboxd.model.agent",
    "SeccompProfile": "sandboxd.model.seccomp",
    "Suppression": "sandboxd.model.suppression",
}
"""The types that rules are asked about, and where they are defined."""

_loaded: dict[str, ModuleType] = {}
_by_subject: dict[str, list[tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]] = {}


def load() -> Mapping[str, ModuleType]:
    """All rules by id, in alphabetical order. A rule that cannot be imported stops the program."""
    return {rule: get(rule) for rule in RULES}


def get(rule: str) -> ModuleType:
    """The module of a rule, which is named after its id.

    :raises KeyError: there is no such rule
    """
    module = _loaded.get(rule)
    if module is None:
        if rule not in RULES:
            raise KeyError(rule)
        module = import_module(f"sandboxd.rules.{rule.replace('-', '_')}")
        _loaded[rule] = module
    return module


def ids() -> list[str]:
    """The ids of all rules, in alphabetical order."""
    return list(RULES)


def able(subject: str, value: object) -> Iterator[str]:
    """The rules for `subject` that can have something to say about `value`.

    A rule's `META.needs` names what must be there, one of it at least: fields of its subject, or
    ``field=text`` for one of its values (``cap_add=ALL``) or what is named or typed so
    (``security_opt=seccomp``, ``mounts=bind``), or ``field~text`` for a part of what was written
    there (``mounts~$``), or ``field!text`` for one of its values without it. For a `Document` it is the kinds of file that the
    rule is about, a property of theirs (``devcontainer/runArgs``) or a part of their text
    (``devcontainer~${``), or ``problems``: the text is no sound object.
    """
    about = _by_subject.get(subject)
    if about is None:
        about = _by_subject[subject] = [
            (rule, needs, *_plain_first(subject, needs))
            for rule, (about_type, needs, _) in RULES.items()
            if about_type == subject or subject in about_type.split(" | ")
        ]
    applies = _is_about if subject == "Document" else _is_set
    # Plain loops, since this runs some hundred times for each container.
    for rule, needs, plain, others in about:
        if not needs:
            yield rule
            continue
        for field in plain:
            if getattr(value, field, None):
                yield rule
                break
        else:
            for need in others:
                if applies(value, need):
                    yield rule
                    break


def _plain_first(subject: str, needs: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The needs that are the name of a field, and the others."""
    if subject == "Document":
        return (), needs
    plain = tuple(need for need in needs if need.isidentifier())
    return plain, tuple(need for need in needs if need not in plain)


def subject(rule: ModuleType) -> str:
    """The name of the type that the rule wants to see, or several with `` | `` between them."""
    annotation: str = rule.check.__annotations__["subject"]
    return annotation


def _is_about(document: Any, need: str) -> bool:
    root = document.tree.root
    if need == "problems":
        return bool(document.tree.problems) or root is None or root.kind != "object"
    kind, slash, key = need.partition("/")
    if slash:
        return bool(document.kind == kind and root is not None and root.get(key) is not None)
    kind, tilde, part = need.partition("~")
    text = document.source.text
    # With a backslash the language may spell any text in another way.
    return bool(document.kind == kind and (not tilde or part in text or "\\" in text))


def _is_set(value: Any, need: str) -> bool:
    field, without, part = need.partition("!")
    if without:
        return any(part not in located.written for located in getattr(value, field))
    field, tilde, part = need.partition("~")
    field, equals, name = field.partition("=")
    content = getattr(value, field, None)
    if not content or not (equals or tilde):
        return bool(content)
    # Fields hold one located value, or a plain tuple of them.
    for located in content if type(content) is tuple else (content,):
        normal = located.value
        if tilde:
            if part in located.written or part in getattr(normal, "source", normal):
                return True
            continue
        if type(normal) is not str:
            normal = getattr(normal, "name", None) or getattr(normal, "type", None)
        if normal == name:
            return True
    return False


def may_reach(rule: str, severity: int) -> bool:
    """True if a finding of the rule may be as bad as `severity`."""
    return RULES[rule][2] >= severity
