"""YAML as programs see it that follow its aliases and merges, whatever anchors multiply."""

from __future__ import annotations

import pytest

from sandboxd.syntax import node, yaml
from sandboxd.syntax.yaml_expanded import parse


@pytest.mark.parametrize(
    "text",
    [
        "x: &m [{id: a}]\nhooks: *m\n",
        "x: &m {id: a}\nhooks:\n- *m\n",
        "x: &m {id: a}\nhooks:\n- <<: *m\n",
        "x: &m {id: b}\nhooks:\n- <<: *m\n  id: a\n",
        "y: &n {id: a}\nx: &m {<<: *n}\nhooks:\n- <<: [*m]\n",
    ],
)
def test_what_an_anchor_brings_is_there(text: str) -> None:
    tree = parse(text)
    assert tree.root is not None and not tree.problems
    hooks = tree.root.get("hooks")
    assert hooks is not None and node.plain(hooks) == [{"id": "a"}]


def test_what_has_no_alias_is_the_file_itself() -> None:
    text = "a: {b: [1, {c: d}]}\n"
    tree, plain = parse(text), yaml.parse(text)
    assert tree.root is not None and plain.root is not None
    assert type(tree.root) is type(plain.root) and tree.parents.of(tree.root) is None


@pytest.mark.parametrize(
    "text",
    [
        "".join(
            f"x{i}: &x{i} [{', '.join([f'*x{i - 1}' if i else 'a'] * 9)}]\n" for i in range(12)
        ),
        "".join(
            f"x{i}: &x{i} {{k: {{a: 1}}, {', '.join(f'l{j}: *x{i - 1}' if i else f'l{j}: 1' for j in range(9))}}}\n"
            for i in range(12)
        ),
        "a: &a\n  b: *a\n",
    ],
)
def test_what_is_left_out_is_a_problem(text: str) -> None:
    tree = parse(text)
    assert "the rest is not read" in tree.problems[-1].message
    assert tree.root is not None
    assert sum(1 for _ in node.walk(tree.root)) < 100_000
