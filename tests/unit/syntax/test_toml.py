from __future__ import annotations

import datetime
import tomllib
from collections.abc import Callable

import pytest
import tomli_w
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxd.syntax import toml
from sandboxd.syntax.node import Node, Tree, plain, walk
from sandboxd.text import Span
from tests.growth import growth, repeated


def root_of(tree: Tree) -> Node:
    assert tree.root is not None
    return tree.root


def value_of(text: str) -> object:
    return plain(root_of(toml.parse(text)))


def problems(text: str) -> list[tuple[str, str]]:
    return [(text[p.span.start : p.span.end], p.message) for p in toml.parse(text).problems]


def as_written(value: object) -> object:
    """Values of tomllib with dates and times as comparable text, and NaN equal to itself."""
    if isinstance(value, dict):
        return {key: as_written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return repr(value)


def dates_read(node: Node) -> object:
    """The tree's values in the form of :func:`as_written`."""
    if node.kind == "object":
        return {str(m.key.value): dates_read(m.value) for m in node.members}
    if node.kind == "array":
        return [dates_read(item) for item in node.items]
    if node.kind == "datetime":
        loaded = tomllib.loads(f"x = {node.value}")["x"]
        return as_written(loaded)
    return repr(node.value)


SAMPLES = [
    "",
    "# only a comment",
    'profile = "dev" # why\n\n[network]\nmode = "none"\n[capabilities]\nadd = [\n  "CHOWN", # a\n]\n',
    "a.b.c = 1\na.b.d = 2\n[x.y]\nz = 1\n[x]\nw = 2\n",
    "[[allow]]\nrule = 'r'\n[allow.more]\nk = 1\n[[allow]]\nrule = 's'\n[[allow.deep]]\n[[allow.deep]]\nq=1",
    "t = { a = 1, b.c = [ {}, { d = 'x' } ], b.e = 2 }",
    '"quoted key"."é" = 1\n\'literal\' = 2\n"" = 3\n1234 = 4\n-x_ = 5\n3.14 = "pi"',
    's = "a\\tb\\u00e9\\U0001F600\\"\\\\"\nl = \'C:\\x\'\nm = """\nfirst \\\n   joined\nend"""\n'
    "n = '''\nraw \\ '' x'''\no = \"\"\"two quotes\"\"\"\"\"\np = ''''a''''\nq = \"\"\"\"\"\"\nr = ''",
    "i = [0, -0, +5, 1_000, 0xdead_BEEF, 0o17, 0b1010, 9223372036854775807]",
    "f = [0.0, -0.0, 1e6, 6.626e-34, +1.5, inf, -inf, nan, 1_0.0_1, 5e+22]",
    "d = [1979-05-27T07:32:00Z, 1979-05-27 07:32:00.5-07:00, 1979-05-27T07:32:00, 1979-05-27, 07:32:00]",
    'a = [\r\n 1,\r\n # c\r\n 2\r\n]\r\nb = """x\r\ny"""\r\n',
    "a = [[1, 2], ['x'], [[]], [\n[\n]]]",
    "[a.b]\nx=1\n[c]\n[a.d]\ny=1\n[a]\nz=2",
    "[ a . 'b' ]\n  k\t=\ttrue\n[[ c ]]",
    "x = 1979-05-27 # not a time\ny = 2",
    "[true]\na=1\n[inf.nan]\nb = [\n[true],\n[inf]\n]",
    "[fruit]\napple.color = 'red'\n[fruit.apple.taste]\nsweet = true",
]


@pytest.mark.parametrize("text", SAMPLES)
def test_valid_samples_have_the_values_of_tomllib(text: str) -> None:
    tree = toml.parse(text)
    assert tree.problems == ()
    assert dates_read(root_of(tree)) == as_written(tomllib.loads(text))
    check(text, tree, tables_are_whole="[a.d]" not in text)


KEYS = st.one_of(
    st.sampled_from(["a", "b", "c-d", "1", ""]), st.text(st.characters(codec="utf-8"), max_size=4)
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.datetimes(),
    st.dates(),
    st.times(),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.booleans())
def test_what_tomli_w_writes_has_the_values_of_tomllib(
    document: dict[str, object], multiline: bool
) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    tree = toml.parse(text)
    assert tree.problems == ()
    assert dates_read(root_of(tree)) == as_written(tomllib.loads(text))
    check(text, tree)


@pytest.mark.parametrize(
    ("text", "value", "messages"),
    [
        ('runtime = "gvis\nprofile = "x"', {"runtime": "gvis", "profile": "x"},
         [('"gvis', "this string is not closed")]),
        ("runti\nb = 1", {"runti": None, "b": 1},
         [("runti", "expected `=` and a value after this key")]),
        ("a =\nb = 1", {"a": None, "b": 1}, [("a", "expected a value for `a`")]),
        ("a = [1,\nb = 2", {"a": [1], "b": 2}, [("[", "this list is not closed")]),
        ("a = [1,\n[next]\nb = 2", {"a": [1], "next": {"b": 2}}, [("[", "this list is not closed")]),
        ("a = { b = 1\nc = 2", {"a": {"b": 1}, "c": 2}, [("{", "this inline table is not closed")]),
        ("[net\nb = 1", {"net": {"b": 1}}, [("[net", "this header is not closed: expected `]`")]),
        ("[[net]\nb = 1", {"net": [{"b": 1}]},
         [("[[net", "this header is not closed: expected `]]`")]),
        ("[a]\nx = 1\n[]\nb = 1\n[c]\nd = 1", {"a": {"x": 1}, "c": {"d": 1}},
         [("[]", "expected a name in this header")]),
        ("a = 1\na = 2", {"a": 2}, [("a", "`a` is already set in this table")]),
        ("[a]\n[b]\n[a]", {"a": {}, "b": {}}, [("[a]", "table `a` is already declared")]),
        ("a = foo\nb = 2", {"a": None, "b": 2},
         [("foo", "`foo` is not a TOML value: put text in double quotes")]),
        ("a = True", {"a": None}, [("True", "`True` is not a TOML value: write `true`")]),
        ('a = """x\nb = 1', {"a": "x", "b": 1}, [('"""x', "this string is not closed")]),
        ("a = { b = , c = 1 }", {"a": {"b": None, "c": 1}}, [("b", "expected a value for `b`")]),
        ("a = { b = 1, }", {"a": {"b": 1}}, [("}", "the last value of an inline table takes no comma")]),
        ("a = {\n  b = 1\n}", {"a": {"b": 1}}, [("{", "an inline table must be on one line")]),
        ("a = 1 b = 2", {"a": 1}, [("b = 2", "expected the end of the line after this value")]),
        ("= 1\nb = 2", {"b": 2}, [("= 1", "expected a key, a `[table]` or a comment")]),
        ("a = [1 2]", {"a": [1, 2]}, [(" ", "expected a comma before this value")]),
        ("a. = 1", {"a": 1}, [(".", "expected another part of the key after this dot")]),
        ("a = 2020-13-01", {"a": "2020-13-01"},
         [("2020-13-01", "this is not a date or time of the calendar")]),
        ('a = "\\q"', {"a": ""}, [('"\\q"', "`\\q` is not an escape of TOML")]),
        ("a = [}]\nb = 1", {"a": [], "b": 1}, [("}", "unexpected `}`")]),
        ("a = { b = 1 }\n[a.c]\nd = 1", {"a": {"c": {"d": 1}}},
         [("a", "`a` is already set in this table")]),
        ("[a]\nb.c = 1\n[a.b]\nd = 1", {"a": {"b": {"c": 1, "d": 1}}},
         [("[a.b]", "this table is already declared or set")]),
        ("# \x00", {}, [("# \x00", "a control character is not allowed here")]),
        ('a = "\x01"', {"a": "\x01"},
         [('a = "\x01"', "a control character must be written as an escape")]),
        ("a = " + "9" * 5000, {"a": None}, [("9" * 5000, "this number is too large")]),
    ],
)  # fmt: skip
def test_broken_text(text: str, value: object, messages: list[tuple[str, str]]) -> None:
    assert value_of(text) == value
    assert problems(text) == messages


def test_the_span_of_a_table_is_its_body_up_to_the_next_header() -> None:
    text = "[a.b]\nx = 1\n\n[c]\ny = 2\n"
    root = root_of(toml.parse(text))
    outer, other = root.get("a"), root.get("c")
    assert outer is not None and other is not None
    inner = outer.get("b")
    assert inner is not None
    assert inner.span == Span(5, 13)
    assert outer.span == Span(3, 13)
    assert other.span == Span(16, 23)


def test_comments_are_found_but_not_in_strings() -> None:
    text = "# a\nb = '# no' # c\n[d] # e\nf = [ # g\n1, # h\n]"
    comments = [text[c.span.start : c.span.end] for c in toml.parse(text).comments]
    assert comments == ["# a", "# c", "# e", "# g", "# h"]


def check(text: str, tree: Tree, *, tables_are_whole: bool = True) -> None:
    for problem in tree.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
        assert not problem.message.endswith(".")
        assert problem.message.isprintable()
    for node in walk(root_of(tree)):
        assert 0 <= node.span.start <= node.span.end <= len(text)
        at = node.span.start
        for child in [*node.items, *(part for member in node.members for part in member)]:
            assert tree.parents.of(child) is node
            assert node.span.contains(child.span)
            assert not tables_are_whole or at <= child.span.start
            at = child.span.end
        if node.kind in ("number", "boolean", "datetime"):
            written = text[node.span.start : node.span.end]
            again = root_of(toml.parse(f"x = {written}")).get("x")
            assert again is not None and repr(again.value) == repr(node.value)
        elif node.kind == "missing":
            assert node.value is None


PIECES = st.lists(
    st.sampled_from(
        ["a", "b.c", "=", " = ", "1", '"x"', '"x', "'y", '"""', "'''", "[", "]", "[[", "]]", "{",
         "}", ",", "\n", "\r\n", "\r", "#", " ", "\\", "\x00", "\ud800", "\xa0", "true", "1979-05-27",
         " 07:32:00", ".", "[a]\n", "[[b]]\n", "a.b = 1\n", '"\\']
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(st.one_of(PIECES, st.text(st.characters(), max_size=30)))
@example("[a]\n[b]\n[a.c]")
@example('a=[\n\\"""\n\\"""')
@example("a = { b = [ {")
@example("[a]\n[[a]]\n[a.b]\n")
def test_any_text_is_read_and_what_tomllib_takes_has_its_values(text: str) -> None:
    tree = toml.parse(text)
    check(text, tree, tables_are_whole=False)
    try:
        expected = tomllib.loads(text)
    except ValueError:
        assert tree.problems
        return
    assert tree.problems == ()
    assert dates_read(root_of(tree)) == as_written(expected)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), SCALARS, min_size=1), st.data())
def test_a_file_that_is_cut_off_keeps_the_lines_before(
    document: dict[str, object], data: st.DataObject
) -> None:
    text = tomli_w.dumps(document)
    cut = data.draw(st.integers(0, len(text)))
    root = root_of(toml.parse(text[:cut]))
    whole = root_of(toml.parse(text))
    for member in whole.members:
        if member.value.span.end < cut:
            value = root.get(str(member.key.value))
            assert value is not None and repr(value.value) == repr(member.value.value)


@pytest.mark.parametrize(
    "text",
    ["a." * 100_000 + "a = 1", "a = " + "[" * 100_000, "a = " + "{ a = " * 100_000,
     "[" + "a." * 100_000 + "a]", "a = [" + "{ b.c = [" * 500],
)  # fmt: skip
def test_deep_nesting_is_refused_and_what_follows_is_read(text: str) -> None:
    tree = toml.parse(text + "\nlast = 1\n")
    last = root_of(tree).get("last")
    assert last is not None and last.value == 1
    assert tree.problems
    depth = 0
    level = [root_of(tree)]
    while level:
        depth += 1
        level = [c for n in level for c in [*n.items, *(m.value for m in n.members)]]
    assert depth <= toml.MAX_DEPTH + 2


@pytest.mark.parametrize(
    "text",
    ["[a]\n", 'a="""\\\n', "a=[\n", "[[a]]\n", "'", lambda n: 'a=[\\"""' + '\n\\"""' * n,
     lambda n: "a=[" + '\n"' * n, lambda n: "a = {" + "b.c = 1," * n],
    ids=range(8),
)  # fmt: skip
def test_work_is_in_proportion_to_hostile_text(text: str | Callable[[int], str]) -> None:
    assert growth(toml.parse, text) < 2.4
    # What runs in C counts no lines, and would have no end here.
    toml.parse(repeated(text, 50_000))


def test_blank_lines_in_a_table_are_read_at_once() -> None:
    # What ends the table is looked for behind each line end: over all blank lines, without a line of Python.
    assert growth(toml.parse, lambda n: "a = {b = 1" + "\n" * n + "}") < 1.1
