"""Every field of a container is read by a rule, or it is said here why none needs it.

A field that the readers fill and no rule asks for is a setting that could be weak in silence.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sandboxd import rules
from sandboxd.model.container import Container

FOLDER = Path(rules.__file__).parent
NO_RULE = {
    "init": "a small first process reaps zombies: nothing is opened or closed by it",
    "cpus": "without a limit the host is slower, and its scheduler still shares: `sandboxd up` sets one",
    "command": "only a plan sets it; no file's command is read",
    "stop_signal": "how a container ends opens nothing",
    "unseen": "`lint` makes a note of each in the report",
    "partial": "read by `is_whole`, which the rules about what is missing ask",
}


def _read_by_rules() -> dict[str, set[str]]:
    """Field -> the files of rules that read it from a value of which a container is the only type."""
    readers: dict[str, set[str]] = {}
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            arguments = [*function.args.args, *function.args.kwonlyargs]
            names = {a.arg for a in arguments if _is_container(a.annotation)}
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id in names
                ):
                    readers.setdefault(node.attr, set()).add(file.stem)
    return readers


def _is_container(annotation: ast.expr | None) -> bool:
    return annotation is not None and "Container" in ast.unparse(annotation).split(" | ")


READERS = _read_by_rules()
METHODS = {
    "option": "security_opt",
    "is_privileged": "privileged",
    "drops_all": "cap_drop",
    "uses_gvisor": "runtime",
}


@pytest.mark.parametrize("field", Container._fields)
def test_a_field_has_a_rule_or_a_reason(field: str) -> None:
    methods = {method for method, of in METHODS.items() if of == field}
    is_read = bool(READERS.get(field)) or any(READERS.get(method) for method in methods)
    assert is_read != (field in NO_RULE), (
        f"no rule reads `{field}`: write one, or say here why none needs it"
        if not is_read
        else f"`{field}` has a rule: drop its reason here"
    )


def test_reasons_are_about_fields() -> None:
    assert set(NO_RULE) <= set(Container._fields)
