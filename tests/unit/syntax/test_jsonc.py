from __future__ import annotations

import gc
import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxd.syntax import jsonc
from sandboxd.syntax.node import UNREAD, Node, Tree, plain, walk
from sandboxd.text import Span
from tests.growth import growth, repeated
from tests.unit.syntax.documents import VALUES, Layout


def value_of(text: str) -> object:
    root = jsonc.parse(text).root
    return None if root is None else plain(root)


def problems(text: str) -> list[tuple[str, str]]:
    """What is wrong, each with the text that it is about."""
    return [(text[p.span.start : p.span.end], p.message) for p in jsonc.parse(text).problems]


# Half-typed and broken text: what is outside the broken part stays


@pytest.mark.parametrize(
    ("text", "value", "messages"),
    [
        ('{"runArgs": ["--privileged", ', {"runArgs": ["--privileged"]},
         [("{", "this brace is not closed"), ("[", "this bracket is not closed")]),
        ('{"runArgs": ["--priv\n], "b": 1}', {"runArgs": ["--priv"], "b": 1},
         [('"--priv', "this string is not closed")]),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}, [("1", "expected a comma after this value")]),
        ('["a" "b"]', ["a", "b"], [('"', "expected a comma after this value")]),
        ('{"a":\n"b": 2}', {"a": None, "b": 2}, [('"a"', "expected a value after this key")]),
        ('{"a"\n"b": 2}', {"a": None, "b": 2},
         [('"a"', "expected a colon and a value after this key")]),
        ('{"a" "b"}', {"a": "b"}, [('"a"', "expected a colon after this key")]),
        ('{"a": , "b": 2}', {"a": None, "b": 2}, [('"a"', "expected a value after this key")]),
        ('{"x": ["a", \n"b": 1}', {"x": ["a"], "b": 1}, [("[", "this bracket is not closed")]),
        ('{"x": ["a"}', {"x": ["a"]}, [("[", "this bracket is not closed")]),
        ('{"x": {"a": 1, "y": [2]', {"x": {"a": 1, "y": [2]}},
         [("{", "this brace is not closed"), ("{", "this brace is not closed")]),
        ('{"x": [1}, "y": 2}', {"x": [1], "y": 2},
         [("[", "this bracket is not closed"), ("}", "this brace closes too early")]),
        ('{"a": 1}, "b": 2}', {"a": 1, "b": 2}, [("}", "this brace closes too early")]),
        ('{"a": 1}}', {"a": 1}, [("}", "this closing brace has no opening one")]),
        ("[1]]", [1], [("]", "this closing bracket has no opening one")]),
        ("[1,,2]", [1, 2], [(",", "expected a value before this comma")]),
        ('{"a": 1, "a": 2}', {"a": 2}, [('"a"', "duplicate key `a`: the last one wins")]),
        ('{"a": tru, "b": 1}', {"a": None, "b": 1},
         [("tru", "`tru` is not a JSON value: put text in double quotes")]),
        ('{"a": True}', {"a": None}, [("True", "`True` is not a JSON value: write `true`")]),
        ('{"a": 01}', {"a": 0}, [("01", "`01` is not a JSON number: put text in double quotes")]),
        ("{a: 1}", {"a": 1}, [("a", "write the key `a` in double quotes")]),
        ('["a": 1, "b"]', ["a", 1, "b"], [(":", "unexpected colon")]),
        ('{"a": "b": 1, "c": 2}', {"a": "b", "c": 2}, [(":", "unexpected colon")]),
        ('{"a": 1, {"b": 2}, "c": 3}', {"a": 1, "b": 2, "c": 3},
         [("{", "expected a key before this value")]),
        ("{: 1}", {}, [(":", "expected a key in double quotes before this colon")]),
        ("{\"a\": 'x'}", {"a": "x"}, [("'x'", "write this string in double quotes")]),
        ('["a\tb"]', ["a\tb"], [("\t", "write this control character as `\\t`")]),
        ("[1,\xa0\xa02]", [1, 2], [("\xa0\xa0", "unexpected character U+00A0 (no-break space)")]),
        ("[true\x00false]", [True, False], [("\x00", "unexpected character U+0000 (NUL)")]),
        ('{"a": 1 /* b', {"a": 1},
         [("{", "this brace is not closed"), ("/*", "this comment is not closed")]),
        ('{} {"a": [1, {}]}', {}, [("{", "unexpected text after the end of the value")]),
        ('[1] "a"', [1], [('"a"', "unexpected text after the end of the value")]),
        ("", None, [("", "expected a value, the file holds none")]),
        ("// only this", None, [("", "expected a value, the file holds none")]),
        ('"\\x\\ud800"', "\ufffd",
         [("\\x", "`\\x` is not an escape of JSON"),
          ("\\ud800", "`\\ud800` is half of a surrogate pair")]),
        ('"\\u12"', "", [("\\u12", "`\\u12` needs four hexadecimal digits")]),
    ],
)  # fmt: skip
def test_broken_text(text: str, value: object, messages: list[tuple[str, str]]) -> None:
    assert value_of(text) == value
    assert problems(text) == messages


@pytest.mark.parametrize(
    "text",
    ['{"a": # "x\n"privileged": true}', '{foo "privileged": true}', '{"privileged": foo true}',
     '{"a": 1}, "privileged": true}', '{"a": \n "privileged": true}',
     '{{, "privileged": true}', '{[{, "privileged": true}',
     "{\"privileged\" 'q': true}", '{"privileged" foo: true}', '{[[1, "privileged": true}',
     '{"a": [1, \n "privileged": true}', '{ "privileged": \xa0true }'],
)  # fmt: skip
def test_broken_text_hides_no_setting_that_another_reader_would_act_on(text: str) -> None:
    value = value_of(text)
    assert isinstance(value, dict) and value["privileged"] is True


def test_comments_and_trailing_commas_are_part_of_the_language() -> None:
    text = '// a\n{"x": [1, /* b */ 2,], // c\r\n "y": "// d",}'
    tree = jsonc.parse(text)
    assert tree.problems == ()
    assert [text[c.span.start : c.span.end] for c in tree.comments] == ["// a", "/* b */", "// c"]
    assert value_of(text) == {"x": [1, 2], "y": "// d"}


def test_a_key_without_value_has_a_missing_node_behind_its_colon() -> None:
    text = '{"a": \n}'
    root = jsonc.parse(text).root
    assert root is not None
    node = root.get("a")
    assert node is not None and node.kind == "missing"
    assert node.span == Span(5, 5)


def test_an_open_container_reaches_to_the_end_of_the_text() -> None:
    root = jsonc.parse('{"a": [ \n').root
    assert root is not None
    array = root.get("a")
    assert array is not None and array.span == Span(6, 9)


# Agreement with strict JSON


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_valid_json_has_the_values_that_json_gives(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    tree = jsonc.parse(text)
    assert tree.problems == ()
    assert tree.root is not None
    assert repr(plain(tree.root)) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    ["-0", "-0.0", "1e400", "-1E+2", "0.1", "12345678901234567890", '"\\ud83d\\ude00"', '"\\/"',
     '"\\u00e9\\b\\f\\n\\r\\t\\\\\\""', '"\u2028"', " [ ] ", '{"a":1,"a":{"a":2}}', "null",
     '"\\uD83D\\uDE00\\u0041"', '"\x7f"'],
)  # fmt: skip
def test_corner_cases_of_json(text: str) -> None:
    assert repr(value_of(text)) == repr(json.loads(text))


def test_a_number_with_more_digits_than_python_converts_does_not_raise() -> None:
    assert value_of("1" * 5000) == float("inf")


@given(st.data(), VALUES)
def test_layout_and_comments_do_not_change_the_value(data: st.DataObject, value: object) -> None:
    layout = Layout(data)
    text = layout.document(value)
    tree = jsonc.parse(text)
    assert tree.problems == ()
    assert tree.root is not None
    assert plain(tree.root) == value
    assert len(tree.comments) == layout.comments
    check_spans(text, tree)


# Any text


def check_spans(text: str, tree: Tree) -> None:
    for problem in tree.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
    if tree.root is None:
        return
    for node in walk(tree.root):
        assert 0 <= node.span.start <= node.span.end <= len(text)
        at = node.span.start
        for child in children(node):
            assert tree.parents.of(child) is node
            assert at <= child.span.start and child.span.end <= node.span.end
            at = child.span.end
        check_slice(text, node)


def children(node: Node) -> list[Node]:
    return [*node.items, *(part for member in node.members for part in member)]


def check_slice(text: str, node: Node) -> None:
    """The text of a node alone reads as the same value."""
    written = text[node.span.start : node.span.end]
    if node.kind == "missing":
        assert node.value is None
    elif node.kind == "string" and not written.startswith(('"', "'")):
        assert written == node.value  # a key without quotes
    elif node.kind in ("string", "number", "boolean", "null"):
        alone = jsonc.parse(written).root
        assert alone is not None
        assert (alone.kind, repr(alone.value)) == (node.kind, repr(node.value))
    else:
        assert written[0] == ("{" if node.kind == "object" else "[")


# What jsonc-parser 3.3.1, which the dev container CLI reads by, keeps of a broken second value; that
# it does is tests/integration/test_jsonc_oracle.py.
BROKEN = [
    '"p" false', '"p": ', '"p"', '"p": fals', "p: false", "'p': false", '"p" = false', '"p":: false',
    '"p"\nfalse', '"p" "false"', '"q" "p": false', '"q" [1] "p": false', '1 "p": false',
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_member_replaces_none_that_other_readers_take(broken: str) -> None:
    for text in (
        f'{{"p": true, {broken}}}',
        f'{{"p": true}}, {broken}}}',
        f'{{{broken}, "p": true}}',
    ):
        root = jsonc.parse(text).root
        assert root is not None and plain(root)["p"] is True, text  # type: ignore[index]
        node = root.get("p")
        assert node is not None and node.value is True, text


def test_the_message_names_the_one_that_is_in_force() -> None:
    messages = [problem[:2] for problem in jsonc.parse('{"p": true, "p" false}').problems]
    assert messages[-1][0] == Span(12, 15) and messages[-1][1].endswith("the one before it wins")
    (problem,) = jsonc.parse('{"p": false, "p": true}').problems
    assert problem.span == Span(1, 4) and problem.message.endswith("the last one wins")


def test_the_one_member_of_its_name_is_seen_even_if_it_is_broken() -> None:
    assert value_of('{"p" true}') == {"p": True}
    assert value_of('{"a": 1} "p": true}') == {"a": 1, "p": True}


PIECES = st.lists(
    st.sampled_from(
        ['"a"', '"a', "'b'", "{", "}", "[", "]", ":", ",", "true", "nul", "-1", "01", "\n", " ",
         "//", "/*", "*/", "#", "\\", '"\\', "\ud800", "\x00", "\xa0", "\r", "\u2028", "key", "/"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(st.one_of(PIECES, st.text(st.characters(), max_size=30)))
@example('{"a": "b": [1}, ]')
@example('"\\')
@example("[\ud800]")
def test_any_text_is_read_and_its_spans_nest(text: str) -> None:
    tree = jsonc.parse(text)
    check_spans(text, tree)
    assert list(tree.problems) == sorted(tree.problems, key=lambda problem: problem.span)
    for problem in tree.problems:
        assert problem.message[0] != " " and not problem.message.endswith(".")
        assert problem.message.isprintable()


@given(PIECES)
def test_text_without_problems_is_valid_once_comments_and_last_commas_are_gone(text: str) -> None:
    tree = jsonc.parse(text)
    if tree.problems:
        return
    for comment in reversed(tree.comments):
        blank = " " * (comment.span.end - comment.span.start)
        text = text[: comment.span.start] + blank + text[comment.span.end :]
    assert tree.root is not None
    from_end = text
    for node in walk(tree.root):
        if node.items or node.members:
            last = children(node)[-1]
            between = text[last.span.end : node.span.end - 1]
            replaced = between.replace(",", " ", 1)
            from_end = from_end[: last.span.end] + replaced + from_end[node.span.end - 1 :]
    assert json.loads(from_end) == plain(tree.root)


@given(st.data(), VALUES)
def test_a_document_that_is_cut_off_keeps_what_was_before(
    data: st.DataObject, value: object
) -> None:
    text = json.dumps({"first": value, "second": 1}, indent=2)
    start = text.index('"second"')
    cut = data.draw(st.integers(start, len(text)))
    partial = value_of(text[:cut])
    assert isinstance(partial, dict) and partial["first"] == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"a":[', "[{", '["'])
def test_deep_nesting_is_cut_off_and_said(opening: str) -> None:
    tree = jsonc.parse(opening * 100_000)
    assert tree.root is not None
    depth = 0
    node: Node | None = tree.root
    while node is not None:
        depth += 1
        node = children(node)[-1] if children(node) else None
    assert depth <= jsonc.MAX_DEPTH + 1
    if opening != '["':
        assert [problem.message for problem in tree.unread] == ["more than 200 levels"]


def test_what_follows_a_part_that_is_too_deep_is_read() -> None:
    text = '{"deep": ' + "[" * 1000 + "]" * 1000 + ', "privileged": true}'
    root = jsonc.parse(text).root
    assert root is not None
    deep, privileged = root.get("deep"), root.get("privileged")
    assert privileged is not None and privileged.value is True
    assert deep is not None and deep.span.end == text.index(', "priv')
    assert [(p.message, p.code) for p in jsonc.parse(text).problems] == [
        ("more than 200 levels", UNREAD)
    ]


def test_the_number_of_problems_is_bounded_and_the_bound_is_said() -> None:
    problems = jsonc.parse("[" + "x " * 10_000 + "]").problems
    assert len(problems) == jsonc.MAX_PROBLEMS + 1
    assert sum("too many problems" in problem.message for problem in problems) == 1


@pytest.mark.parametrize(
    "text",
    ["[", '"\\', "'", "{}", '{"a":["', "/", "x:", '"a" ', " \n", "/*", "[1 ", '{"a"\n',
     lambda n: "[" * 199 + "}" * n],
    ids=range(13),
)  # fmt: skip
def test_work_is_in_proportion_to_hostile_text(text: str | Callable[[int], str]) -> None:
    assert growth(jsonc.parse, text) < 2.4
    # What runs in C counts no lines, and would have no end here.
    jsonc.parse(repeated(text, 100_001))


def test_the_garbage_collector_is_left_as_it_was() -> None:
    jsonc.parse("[" * 100_000)
    assert gc.isenabled()


def test_half_a_surrogate_pair_as_written_reads_as_a_replacement_character() -> None:
    assert value_of('"a\ud800\\n"') == "a\ufffd\n"
