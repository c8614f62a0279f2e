"""The attempts as modules: complete, old Python's grammar, nothing but the standard library."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from sandboxd.plan import profiles
from sandboxd.verify import attempts, canary

FOLDER = Path(attempts.__file__).parents[1] / "inside" / "escapes"
FILES = sorted(FOLDER.glob("*.py"))
ALL = attempts.load()


def test_there_are_enough_and_every_judge_has_work() -> None:
    assert len(ALL) >= 60
    assert {attempt.judge for attempt in ALL} == set(attempts.JUDGES)
    assert len({attempt.id for attempt in ALL}) == len(ALL)


@pytest.mark.parametrize("attempt", ALL, ids=lambda attempt: attempt.id)
def test_an_attempt_is_complete(attempt: attempts.Attempt) -> None:
    assert attempt.title[0].islower() or attempt.title[:2].isupper()
    assert not attempt.title.endswith(".")
    assert set(attempt.expected) == {"runc", "runsc"}
    assert all(attempt.expected.values())
    assert set(attempt.declared) <= {"*", "nested_sandbox", *profiles.names()}
    assert (attempt.namespace != "") == (attempt.judge == "namespace")
    source = (FOLDER / f"{attempt.id.replace('-', '_')}.py").read_text()
    assert ast.get_docstring(ast.parse(source))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_python_3_8_can_read_it(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 8))
    for node in ast.walk(tree):
        # Grammar alone does not show these: names and methods that came later.
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("removeprefix", "removesuffix", "waitstatus_to_exitcode")
        assert not (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.BitOr)
            and isinstance(node.left, ast.Name)
            and node.left.id in ("str", "int", "dict")
        )


def test_only_the_standard_library_is_imported() -> None:
    top = {name.partition(".")[0] for name in attempts.imports()}
    assert top <= set(sys.stdlib_module_names)


def test_an_attempt_imports_helpers_and_no_other_attempt() -> None:
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sandboxd"):
                name = (node.module or "").removeprefix("sandboxd.inside.escapes").lstrip(".")
                names = [name] if name else [alias.name for alias in node.names]
                assert all(name.startswith("_") for name in names), file.name


def test_each_pin_attempt_asks_for_its_own_scratch_file() -> None:
    for name in canary.PIN_ATTEMPTS:
        source = (FOLDER / f"{name.replace('-', '_')}.py").read_text()
        assert f'pinned_files(facts, "{name}")' in source
    assert {a.id for a in ALL if a.id.startswith("pin-")} - set(canary.PIN_ATTEMPTS) == {
        "pin-parent-rename",
        "pin-pivot",
    }
