from __future__ import annotations

import datetime
import tomllib

import pytest
import tomli_w
from hypothesis import assume, given
from hypothesis import strategies as st

from sandboxd.syntax import toml, toml_edit
from sandboxd.text import apply_edits


def set_in(text: str, path: str, value: object) -> str:
    return apply_edits(text, toml_edit.set_value(text, toml.parse(text), path.split("."), value))


@pytest.mark.parametrize(
    ("text", "path", "value", "after"),
    [
        ("", "a", 1, "a = 1\n"),
        ("", "t.a", 1, "[t]\na = 1\n"),
        ("a = 0 # why\n", "a", 1, "a = 1 # why\n"),
        ("a = 0 # why\nb = 2\n", "c", 1, "a = 0 # why\nb = 2\nc = 1\n"),
        ("a = 0", "c", 1, "a = 0\nc = 1"),
        ("a = 0", "t.c", 1, "a = 0\n\n[t]\nc = 1\n"),
        ("a = 0\r\n\r\n[t]\r\nb = 1\r\n", "t.c", "x", 'a = 0\r\n\r\n[t]\r\nb = 1\r\nc = "x"\r\n'),
        ("[t]\nb = 1 # b\n\n# about u\n[u]\n", "t.c", 1, "[t]\nb = 1 # b\nc = 1\n\n# about u\n[u]\n"),
        ("[t] # t\n\n[u]\n", "t.c", 1, "[t] # t\nc = 1\n\n[u]\n"),
        ("[t]\n  b = 1\n[t.u]\nx = 1\n", "t.c", 1, "[t]\n  b = 1\n  c = 1\n[t.u]\nx = 1\n"),
        ("[t.u]\nx = 1\n", "t.c", 1, "[t.u]\nx = 1\n\n[t]\nc = 1\n"),
        ("# about the file\n\n# about t\n[t]\nb = 1\n", "a", 1,
         "# about the file\n\na = 1\n\n# about t\n[t]\nb = 1\n"),
        ("# about the file\n[t]\n", "a", 1, "# about the file\na = 1\n\n[t]\n"),
        ("t = { b = 1 } # t\n", "t.c", 1, "t = { b = 1, c = 1 } # t\n"),
        ("t = {}\n", "t.c", 1, "t = { c = 1 }\n"),
        ("t = { b = 1 }\n", "t.c.d", 1, "t = { b = 1, c.d = 1 }\n"),
        ("t.b = 1 # b\nz = 2\n", "t.c", 1, "t.b = 1 # b\nt.c = 1\nz = 2\n"),
        ("[t]\nu.b = 1\n", "t.u.c", 1, "[t]\nu.b = 1\nu.c = 1\n"),
        ("t.u.b = [\n1,\n2]\n", "t.c", 1, "t.u.b = [\n1,\n2]\nt.c = 1\n"),
        ("a =\n", "a", 1, "a = 1\n"),
        ("a\n", "a", 1, "a = 1\n"),
        ('add = ["A"]\n', "add", ["A", "B"], 'add = ["A", "B"]\n'),
        ('add = [\n  "A", # a\n]\n', "add", ["A", "B"], 'add = [\n  "A", # a\n  "B",\n]\n'),
        ('add = [\n  "A" # a\n]\n', "add", ["A", "B", "C"],
         'add = [\n  "A", # a\n  "B",\n  "C"\n]\n'),
        ('add = ["A"]\n', "add", ["B"], 'add = ["B"]\n'),
        ("[t]\n", "t.a b", "x\ny", '[t]\n"a b" = "x\\ny"\n'),
    ],
)  # fmt: skip
def test_set_value(text: str, path: str, value: object, after: str) -> None:
    assert set_in(text, path, value) == after


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("a = 1", "a.b", "`a` is not a table"),
        ("[t]", "t", "`t` is a table: set the keys in it"),
        ("[[t]]", "t", "`t` is a list of tables"),
        ("[[t]]", "t.a", "`t` is not a table"),
    ],
)
def test_a_path_that_does_not_fit_is_refused(text: str, path: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        set_in(text, path, 1)


SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.datetimes(),
    st.dates(),
    st.times(),
)
KEYS = st.sampled_from(["a", "b", "c d", "é", ""])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_encode_is_read_back_as_the_same_value(value: object) -> None:
    assert tomllib.loads(f"x = {toml_edit.encode(value)}") == {"x": value}


def test_encode_refuses_what_toml_has_no_form_for() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        toml_edit.encode(None)
    with pytest.raises(ValueError, match="surrogates"):
        toml_edit.encode("\ud800")
    assert toml_edit.encode(datetime.date(2020, 1, 2)) == "2020-01-02"


LINES = st.lists(
    st.sampled_from(
        ["# c", "", "a = 1 # x", "b.a = [\n  1, # one\n  2\n]", "c = { a = 1 }", "[a]", "[b.a]",
         "[c.b]", "[[d]]", "[d.a]", "  e = 'x'", "[a.b.c]", "a.b = 1", "\"c d\" = '''\nx\n'''"]
    ),
    max_size=8,
)  # fmt: skip
PATHS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "c d"]), min_size=1, max_size=3)


@given(LINES, PATHS, st.sampled_from([1, "x", ["a"], {"k": True}]), st.sampled_from(["\n", "\r\n"]))
def test_setting_a_value_changes_only_that(
    lines: list[str], path: list[str], value: object, newline: str
) -> None:
    text = "\n".join(lines).replace("\n", newline)
    try:
        expected = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    tree = toml.parse(text)
    try:
        edits = toml_edit.set_value(text, tree, path, value)
    except ValueError:
        return
    after = apply_edits(text, edits)
    assert tomllib.loads(after) == put(expected, path, value)
    assert comments(after, path) == comments(text, path)
    if newline in text:
        assert newline == "\n" or "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_header_inside_a_text_of_several_lines_is_none(quotes: str) -> None:
    text = f"note = {quotes}\n[net]\n{quotes}\n\n[net]\n\n[other]\nx = 1\n"
    edits = toml_edit.set_value(text, toml.parse(text), ["net", "allow"], ["a"])
    assert apply_edits(text, edits) == text.replace("[net]\n\n", '[net]\nallow = ["a"]\n\n')


def put(document: dict[str, object], path: list[str], value: object) -> dict[str, object]:
    inner = document
    for key in path[:-1]:
        following = inner.setdefault(key, {})
        assert isinstance(following, dict)
        inner = following
    inner[path[-1]] = value
    return document


def comments(text: str, path: list[str]) -> list[str]:
    """Comments as written, without those inside the value at `path`, which may be replaced."""
    tree = toml.parse(text)
    node = tree.root
    for key in path:
        node = node.get(key) if node else None
    inside = node.span if node else None
    return [
        text[c.span.start : c.span.end]
        for c in tree.comments
        if inside is None or not inside.contains(c.span)
    ]


@given(st.dictionaries(KEYS, VALUES, max_size=4), KEYS, VALUES)
def test_setting_a_value_of_a_written_file(
    document: dict[str, object], key: str, value: object
) -> None:
    text = tomli_w.dumps(document)
    try:
        edits = toml_edit.set_value(text, toml.parse(text), [key], value)
    except ValueError:
        assert isinstance(document.get(key), (dict, list))
        return
    assert tomllib.loads(apply_edits(text, edits)) == {**document, key: value}
