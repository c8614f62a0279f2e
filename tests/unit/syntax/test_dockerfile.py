from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandboxd.model.document import Document
from sandboxd.model.image import Image, Stage, image, pairs
from sandboxd.syntax import dockerfile
from sandboxd.syntax.dockerfile import DockerfileNode, Instruction
from sandboxd.text import SourceText
from tests.growth import growth, repeated

PIECES = [
    "FROM a\n", "RUN ", "ENV ", "COPY ", "<<EOF", "EOF\n", "<<-'X Y'", "\\\n", "\\  \n", "`\n", "\n",
    "# c\n", "#\n", "# escape=`\n", "# syntax=x\n", '"', "'", "--a=b ", "A=b ", "[", '["x"]', "\r\n",
    "\r", " ", "\t", "onbuild ", "é", "𝒳", "\0", "$X", "&&", "<<", "\\",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)


def instructions(text: str) -> list[Instruction]:
    root = dockerfile.parse(text).root
    assert isinstance(root, DockerfileNode)
    return root.instructions


def read(text: str) -> list[tuple[str, str]]:
    return [(instruction.keyword, instruction.text.text) for instruction in instructions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from a\nrun b", [("FROM", "a"), ("RUN", "b")]),
        ("RUN a \\\n  # why\n\n  b\nUSER c", [("RUN", "a   b"), ("USER", "c")]),
        ("# escape=`\nRUN dir C:\\ `\n x\nUSER c", [("RUN", "dir C:\\  x"), ("USER", "c")]),
        ("# c\n# escape=`\nRUN a \\\n b", [("RUN", "a  b")]),
        ("RUN a \\", [("RUN", "a ")]),
        ("RUN --mount=type=cache,target=/x --network=none a --b", [("RUN", "a --b")]),
        ("RUN \\\n --network=host \\\n a", [("RUN", "a")]),
        ("RUN cat <<<word\nUSER c", [("RUN", "cat <<<word"), ("USER", "c")]),
        ("RUN echo $((1<<x))\nUSER c", [("RUN", "echo $((1<<x))"), ("USER", "c")]),
        ("RUN <<EOF cat\nFROM x\nEOF\nUSER c", [("RUN", "<<EOF cat"), ("USER", "c")]),
        ('COPY <<A <<-"B" /d\na\nA\n\tb\n\tB\nUSER c', [("COPY", '<<A <<-"B" /d'), ("USER", "c")]),
        ("RUN <<EOF\nnever ended", [("RUN", "<<EOF"), ("NEVER", "ended")]),
        ("RUN a \\\\\nUSER c", [("RUN", "a \\\\"), ("USER", "c")]),
        ("RUN a \\\\\\\nUSER c", [("RUN", "a \\\\\\"), ("USER", "c")]),
        ("RUN \\\n\\\n a\nUSER c", [("RUN", "a"), ("USER", "c")]),
        ("ADD -- --x /d", [("ADD", "--x /d")]),
        ('RUN echo "see <<EOF here"\nUSER c', [("RUN", 'echo "see <<EOF here"'), ("USER", "c")]),
        ("RUN echo 'a <<B'\nUSER c", [("RUN", "echo 'a <<B'"), ("USER", "c")]),
        ("RUN cat <<E\\OF\nFROM x\nEOF\nUSER c", [("RUN", "cat <<E\\OF"), ("USER", "c")]),
        ("ONBUILD RUN <<E\nx\nE\nUSER c", [("ONBUILD", "RUN <<E\nx\nE"[:7]), ("USER", "c")]),
    ],
)
def test_instructions_are_what_buildkit_reads(text: str, expected: list[tuple[str, str]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("RUN --network=ho\\st a", ["--network=host"]),
        ('RUN --secur"ity=insec"ure --net\\work=\'host\' a', ["--security=insecure", "--network=host"]),
        ('RUN --mount="type=bind,from=a b" --network=\\\nhost a', ["--mount=type=bind,from=a b",
                                                               "--network=host"]),
        ("COPY --link --from=x a /b", ["--link", "--from=x"]),
        ("ADD --checksum=x -- --chmod=1 /b", ["--checksum=x"]),
        ("onbuild RUN --network=host a", []),
    ],
)  # fmt: skip
def test_flags_are_read_without_quotes_and_escapes(text: str, flags: list[str]) -> None:
    (instruction,) = instructions(text)
    assert [flag.value for flag in instruction.flags] == flags


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('USER "a\\"b" \'c\\d\' e\\ f g\\', ['a"b', "c\\d", "e f", "g"]),
        ("# escape=`\nUSER d`ev \"a`\"b\" c:\\x `` e` f", ["dev", 'a"b', "c:\\x", "`", "e f"]),
    ],
)  # fmt: skip
def test_words_are_read_with_the_escape_character_of_the_file(text: str, words: list[str]) -> None:
    (instruction,) = instructions(text)
    assert [word.value for word in instruction.words()] == words


@pytest.mark.parametrize(
    ("text", "directives"),
    [
        ("#!/usr/bin/env x\n# syntax=a/b\nFROM a", {"syntax": "a/b"}),
        ("#!/usr/bin/env x\n# escape=`\nFROM a", {}),
        ("# syntax=a/b more\n# escape=`\nFROM a", {"syntax": "a/b", "escape": "`"}),
        ("# unknown=1\n# syntax=a/b\nFROM a", {}),
        ("# check=skip=all\n# syntax=a/b\nFROM a", {"check": "skip=all", "syntax": "a/b"}),
        ("  # syntax=a/b\nFROM a", {}),
        ("// syntax=a/b\nFROM a", {"syntax": "a/b"}),
        ('{"syntax": "a/b", "x": 1}', {"syntax": "a/b"}),
        ("\n# syntax=a/b\nFROM a", {}),
    ],
)
def test_directives_end_with_the_first_line_that_is_none(
    text: str, directives: dict[str, str]
) -> None:
    root = dockerfile.parse(text).root
    assert isinstance(root, DockerfileNode)
    assert {name: word.value for name, word in root.directives.items()} == directives
    assert all(text[slice(*word.span)] == word.value for word in root.directives.values())


def test_onbuild_keeps_an_instruction_with_its_flags_heredocs_and_place() -> None:
    text = "ONBUILD  RUN --network=host cat \\\n <<EOF\nx\nEOF\nONBUILD onbuild USER a\nONBUILD FROM b\n"
    run, *others = instructions(text)
    inner = run.triggered()
    assert inner is not None and inner.keyword == "RUN" and inner.span == run.span
    assert inner.text.text == "cat  <<EOF" and [flag.value for flag in inner.flags] == [
        "--network=host"
    ]
    assert inner.heredocs[0].body.text == "x\n"
    assert text[slice(*inner.text.span(0, 3))] == "cat"
    assert [other.triggered() for other in others] == [None, None]


def last_user(of: Image, stage: Stage) -> Instruction | None:
    stages = reversed(of.lineage(stage))
    steps = (step for each in stages for step in reversed(of.steps(each)))
    return next((step for step in steps if step.keyword == "USER"), None)


def test_a_stage_does_first_what_the_one_it_starts_from_keeps_for_it() -> None:
    text = (
        "FROM a AS base\nONBUILD USER root\nUSER dev\nFROM base AS one\nFROM one AS two\nUSER x\n"
    )
    read = image(Document("dockerfile", SourceText("Dockerfile", text), dockerfile.parse(text)))
    users = [last_user(read, stage) for stage in read.stages]
    assert [user.text.text for user in users if user is not None] == ["dev", "root", "x"]


def test_words_stand_where_they_are_written_also_on_continued_lines() -> None:
    text = "ENV A=1 \\\n  # c\n  \"B=two words\" \\\n\n  C='x'\n"
    (env,) = instructions(text)
    triples = [(pair.name, pair.value, text[slice(*word.span)]) for pair, word in pairs(env)]
    assert triples == [
        ("A", "1", "A=1"),
        ("B", "two words", '"B=two words"'),
        ("C", "x", "C='x'"),
    ]


def test_heredocs_know_their_place() -> None:
    text = "RUN <<-'EOF' sh\n\techo a\n\techo b\n\tEOF\n"
    (run,) = instructions(text)
    (heredoc,) = run.heredocs
    assert not heredoc.expands
    at = heredoc.body.text.index("echo b")
    assert text[slice(*heredoc.body.span(at, at + 6))] == "echo b"
    assert text[slice(*run.span)] == text.rstrip("\n")


def test_the_json_form_is_only_what_json_reads() -> None:
    text = 'CMD ["a", "b c"]\nCMD [a, b]\nCMD ["a", 1]\nCMD a\n'
    assert [instruction.json() for instruction in instructions(text)] == [
        ["a", "b c"],
        None,
        None,
        None,
    ]


def test_stages_know_what_they_are_built_upon() -> None:
    text = (
        "ARG V=12\nARG W\nFROM debian:${V} AS Base\nUSER dev\nFROM base AS mid\nRUN x\n"
        "FROM ${W:-alpine}:3\nFROM mid\n"
    )
    built = image(Document("dockerfile", SourceText("/p/Dockerfile", text), dockerfile.parse(text)))
    assert [(s.name, s.base.value if s.base else "", s.parent) for s in built.stages] == [
        ("base", "debian:12", None),
        ("mid", "base", 0),
        ("", "alpine:3", None),
        ("", "mid", 1),
    ]
    last = built.target()
    assert last is not None
    user = last_user(built, last)
    assert user is not None and user.words()[0].value == "dev"
    for name, number in (("BASE", 0), ("1", 1), ("none", 3)):
        stage = built.target(name)
        assert stage is not None and stage.number == number
    third = built.target("2")
    assert third is not None and last_user(built, third) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM a\n&& b", "there is no instruction `&&`"),
        ("RUN <<EOF\nx", "there is no line `EOF` that ends this"),
    ],
)
def test_what_no_builder_understands_is_a_problem(text: str, message: str) -> None:
    assert message in [problem.message for problem in dockerfile.parse(text).problems]


@given(TEXTS)
@example("# escape=`\nRUN a\\\nb `\n# x")
@example("RUN <<A <<A\n")
def test_parsing_never_raises_and_spans_nest(text: str) -> None:
    tree = dockerfile.parse(text)
    root = tree.root
    assert isinstance(root, DockerfileNode)
    last = 0
    for node, instruction in zip(root.items, root.instructions, strict=True):
        assert last <= node.span.start <= node.span.end <= len(text)
        last = node.span.end
        instruction.json()
        for word in (*instruction.flags, *instruction.words()):
            assert (
                instruction.span.start <= word.span.start <= word.span.end <= instruction.span.end
            )
        for script in instruction.scripts():
            for at in range(len(script.text)):
                assert script.text[at] == text[script.offset(at)]
    for problem in tree.problems:
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
    for comment in tree.comments:
        assert text[comment.span.start] == "#"
    image(Document("dockerfile", SourceText("/p/Dockerfile", text), tree))


@pytest.mark.parametrize(
    "text",
    [
        "RUN a \\\n", "FROM a\n", "FROM ${A:-", lambda n: "ENV " + "\"'" * n, lambda n: "RUN " + "\\" * n,
        lambda n: "RUN \\\n" + "# x\n" * n, lambda n: "RUN " + "--a=b " * n, lambda n: "RUN " + "<<" * n,
        lambda n: "".join(f"RUN <<A{i}\n" for i in range(n)),
        lambda n: "FROM a AS s0\n" + "".join(f"FROM s{i} AS s{i + 1}\n" for i in range(n)),
    ],
    ids=range(10),
)  # fmt: skip
def test_work_is_in_proportion_to_hostile_text(text: str | Callable[[int], str]) -> None:
    def read(written: str) -> None:
        tree = dockerfile.parse(written)
        image(Document("dockerfile", SourceText("/p/Dockerfile", written), tree))

    assert growth(read, text) < 2.4
    # What runs in C counts no lines, and would have no end here.
    read(repeated(text, 20_000))
