from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxd.syntax import yaml
from sandboxd.syntax.node import UNREAD, Node, walk
from sandboxd.text import Span
from tests.growth import growth, lines_run, repeated

PIECES = [
    "a", "b: ", "- ", "\n", "  ", "\t", "&x ", "*x", "<<: ", "!reset ", "|\n", ">-\n", "'", '"',
    "{", "}", "[", "]", ",", "# c\n", "? ", ": ", "---\n", "...\n", "%YAML 1.2\n", "\r\n", "é", "𝒳",
    "\0", "\ud800", "\ufeff", "\u2028", "\x85", "1:20", "~",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


def value(node: Node | None) -> object:
    """As Python data, with aliases followed and merges done; for small trees without cycles."""
    if node is None:
        return None
    node = yaml.target(node)
    if node.kind == "array":
        return [value(item) for item in node.items]
    if node.kind == "object":
        return {str(key.value): value(item) for key, item in yaml.members(node)}
    return node.value


def read(text: str) -> object:
    return value(yaml.parse(text).root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("1:20", "1:20"), ("22:22", "22:22"),
        ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("Null", None), ("NULL", None), ("nULL", "nULL"), ("True", True), ("TRUE", True), ("tRUE", "tRUE"),
        ("false", False), ("FALSE", False),
        ("017", 15), ("0o17", 15), ("0x1F", 31), ("-3", -3), ("1e3", 1000.0), (".5", 0.5),
        ("08", 8.0), ("1_000", 1000), ("!!bool \"true\"", True), ("&x 1", 1), ("!!int &x 1", 1),
        ("&x !c true", "true"), ("!!binary dHJ1ZQ==", "true"), ("!!binary _", "_"), ("'1'", "1"), ('"a\\tb"', "a\tb"), ("!!str 1", "1"),
        ("2024-01-01", "2024-01-01"), ("=", "="), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_scalars_mean_what_go_takes_them_for(text: str, expected: object) -> None:
    assert read(f"a: {text}\n") == {"a": expected}


def test_merges_put_the_explicit_key_first_then_the_earlier_source() -> None:
    text = """
a: &a { x: 1, y: 1 }
b: &b { y: 2, z: 2 }
c: { <<: [*a, *b], z: 3 }
d: { <<: { <<: *b, w: 4 }, x: 5 }
"""
    value = read(text)
    assert isinstance(value, dict)
    assert value["c"] == {"z": 3, "x": 1, "y": 1}
    assert value["d"] == {"x": 5, "w": 4, "y": 2, "z": 2}


def test_an_alias_stands_where_it_is_written_and_means_what_its_anchor_names() -> None:
    text = "a: &x [1]\nb: *x\n"
    root = yaml.parse(text).root
    assert root is not None
    alias = root.members[1].value
    assert text[slice(*alias.span)] == "*x"
    meant = yaml.target(alias)
    assert (text[slice(*meant.span)], yaml.target(meant)) == ("&x [1]", meant)


def test_tags_of_compose_are_kept_and_others_decide_the_kind() -> None:
    root = yaml.parse("a: !reset []\nb: !override {c: 1}\nd: !!str 1\n").root
    assert root is not None
    assert [yaml.tag(item) for _, item in root.members] == ["!reset", "!override", ""]


def test_values_stand_exactly_where_they_are_written() -> None:
    text = "a:   'x'  # c\nb: |\n  t\n\nc:\nd: 𝒳 # e\ne:\n  - \n  - q\n"
    root = yaml.parse(text).root
    assert root is not None
    written = [text[slice(*item.span)] for _, item in root.members]
    assert written == ["'x'", "|\n  t", "", "𝒳", "- \n  - q"]
    assert root.members[2].value.span.start == text.index("c:") + 2


def test_comments_are_found_and_no_string_is_one() -> None:
    text = "# a\nb: 'x # no' # c\nd: |  # e\n  # no\n  x#no\nf: a#no\ng: [1, # h\n 2]\n"
    comments = [text[slice(*comment.span)] for comment in yaml.parse(text).comments]
    assert comments == ["# a", "# c", "# e", "# h"]


# Half-typed and broken text: what is outside the broken part stays


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", {"a": 1, "c": 3}),
        ("a: 1\nb: 'x\nc: 3\n", {"a": 1, "c": 3}),
        ("a: 1\n\tb: 2\nc: 3\n", {"a": 1, "c": 3}),
        ("a: 1\nb c\nd: 3\n", {"a": 1, "d": 3}),
        ("a: 1\n  b: 2\nc: 3\n", {"a": 1, "c": 3}),
        ("a: @x\nc: 3\n", {"c": 3}),
        ("a:\n  b: 1\n c: 2\nd: 3\n", {"a": {"b": 1}, "d": 3}),
        ("a: *none\nc: 3\n", {"a": None, "c": 3}),
        ("a: }\nc: 3\n", {"c": 3}),
        ("c: 3\nserv", {"c": 3}),
    ],
)
def test_what_is_outside_of_the_broken_part_stays(text: str, expected: object) -> None:
    assert read(text) == expected
    assert yaml.parse(text).problems


def test_further_documents_of_a_stream_are_read() -> None:
    tree = yaml.parse("a: 1\n---\nb: 2\n---\n- 3\n")
    assert [value(root) for root in (tree.root, *tree.others)] == [{"a": 1}, {"b": 2}, [3]]


def test_a_key_that_is_written_twice_is_a_problem_of_its_own() -> None:
    (problem,) = yaml.parse("a: 1\nb: {c: 1, c: 2}\n<<: {}\n<<: {}\n").problems
    assert (problem.code, problem.message) == ("duplicate-key", "`c` is written twice")


@given(TEXTS)
@example("&a [*a]")
@example("a: &a {<<: *a, b: *a}")
@example("? version: '3'\n\nservices:\n")
@example("a:\n\x85b: 1\n\u2028c: 2")
def test_parsing_never_raises_and_spans_nest(text: str) -> None:
    tree = yaml.parse(text)
    for root in (tree.root, *tree.others):
        for node in walk(root) if root is not None else ():
            assert 0 <= node.span.start <= node.span.end <= len(text)
            children = [*node.items, *(part for member in node.members for part in member)]
            last = node.span.start
            for child in children:
                assert tree.parents.of(child) is node
                assert last <= child.span.start
                last = child.span.end
            assert last <= node.span.end or not children
    for problem in tree.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
    for comment in tree.comments:
        assert text[comment.span.start] == "#"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
)


@pytest.mark.parametrize(
    "text",
    [
        "[", "{a: ", "- ", "? ", "\0", "k: v\n", "&a ", "# c\n", "\n", ": ",
        lambda n: "'" + "a\n" * n, lambda n: "a: [\n" + "b: c\n" * n, lambda n: "a: [" + "x," * n + "]",
    ],
    ids=range(13),
)  # fmt: skip
def test_work_is_in_proportion_to_hostile_text(text: str | Callable[[int], str]) -> None:
    assert growth(yaml.parse, text) < 2.4
    # What runs in C counts no lines, and would have no end here.
    yaml.parse(repeated(text, 50_000))


def test_a_bomb_of_aliases_takes_little_work() -> None:
    assert lines_run(lambda: yaml.parse(BOMB)) < 50_000


def test_a_bomb_of_aliases_and_merges_is_bounded_where_it_is_expanded() -> None:
    keys = ", ".join(f"k{n}: 1" for n in range(900))
    text = f"a: &a {{{keys}}}\nb: &b {{<<: [{','.join(['*a'] * 500)}], x: 1}}\nc: {{<<: *b}}\n"
    root = yaml.parse(text).root
    assert len(yaml.members(yaml.get(root, "c") or Node("null", Span(0, 0)))) == 901


# How PyYAML is loaded


def test_without_the_compiled_parser_the_same_is_read_slowly() -> None:
    code = (
        "import sys; sys.modules['yaml._yaml'] = None\n"
        "from sandboxd.syntax import yaml\n"
        "tree = yaml.parse('a: 1\\nb: [x\\nc: &y 2 # z\\nd: *y\\n')\n"
        "print([key.value for key, _ in tree.root.members], len(tree.problems), len(tree.comments))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['a', 'c', 'd'] 1 1\n", done.stderr


def test_keys_that_a_merge_brings_and_nobody_reads_are_a_problem() -> None:
    """A thousand keys before it would hide the one that matters."""
    many = ", ".join(f"k{number}: 1" for number in range(yaml.MAX_MERGED))
    tree = yaml.parse(f"p: &p {{{many}}}\nq: &q {{privileged: true}}\nz: {{<<: [*p, *q]}}\n")
    (problem,) = tree.problems
    assert (problem.message, problem.code) == ("more than 1,000 merged keys", UNREAD)
    assert not yaml.parse("p: &p {a: 1}\nz: {<<: *p}\n").problems
