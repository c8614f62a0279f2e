from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.syntax import argv, jsonc


def read(*words: object) -> tuple[str, argv.Arguments]:
    text = json.dumps(words, ensure_ascii=False)
    root = jsonc.parse(text).root
    assert root is not None
    return text, argv.parse(root.items)


def flags(*words: object) -> list[tuple[str, str | None]]:
    return [(flag.name, flag.value) for flag in read(*words)[1].flags]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--privileged"], [("privileged", "true")]),
        (["--privileged=false"], [("privileged", "false")]),
        (["--privileged=T"], [("privileged", "true")]),
        (["--privileged=0"], [("privileged", "false")]),
        (["--cap-add=SYS_ADMIN"], [("cap-add", "SYS_ADMIN")]),
        (["--cap-add", "SYS_ADMIN"], [("cap-add", "SYS_ADMIN")]),
        (["--security-opt", "seccomp=unconfined"], [("security-opt", "seccomp=unconfined")]),
        (["--net", "host"], [("network", "host")]),
        (["--net-alias=db", "--dns-opt=x"], [("network-alias", "db"), ("dns-option", "x")]),
        (["-v", "/:/host"], [("volume", "/:/host")]),
        (["-v/:/host"], [("volume", "/:/host")]),
        (["-v=/:/host"], [("volume", "/:/host")]),
        (["-p8080:80"], [("publish", "8080:80")]),
        (["-u=0"], [("user", "0")]),
        (["-u="], [("user", "=")]),
        (["-it"], [("interactive", "true"), ("tty", "true")]),
        (["-dP"], [("detach", "true"), ("publish-all", "true")]),
        (["-it=false"], [("interactive", "true"), ("tty", "false")]),
        (["-itu", "0"], [("interactive", "true"), ("tty", "true"), ("user", "0")]),
        (["-itu0"], [("interactive", "true"), ("tty", "true"), ("user", "0")]),
        (["--cap-add="], [("cap-add", "")]),
        (["--env", "--privileged"], [("env", "--privileged")]),
        (["-h", "box"], [("hostname", "box")]),
        (["--use-api-socket"], [("use-api-socket", "true")]),
        (["--cap-add=A", "--cap-add=B"], [("cap-add", "A"), ("cap-add", "B")]),
    ],
)
def test_flags_are_read_as_docker_reads_them(
    words: list[str], expected: list[tuple[str, str | None]]
) -> None:
    _, arguments = read(*words)
    assert [(flag.name, flag.value) for flag in arguments.flags] == expected
    assert arguments.problems == ()
    assert arguments.image is None


@pytest.mark.parametrize("image", ["other:image", "", "-", "=x"])
def test_the_first_other_word_is_the_image_and_ends_the_flags(image: str) -> None:
    _, arguments = read("--init", image, "--cap-drop=ALL", "-v", "/:/x")
    assert [flag.name for flag in arguments.flags] == ["init"]
    assert arguments.image is not None and arguments.image.value == image
    assert [node.value for node in arguments.rest] == ["--cap-drop=ALL", "-v", "/:/x"]


def test_two_dashes_end_the_flags() -> None:
    _, arguments = read("--init", "--", "--privileged", "x")
    assert [flag.name for flag in arguments.flags] == ["init"]
    assert arguments.image is not None and arguments.image.value == "--privileged"
    assert [node.value for node in arguments.rest] == ["x"]


def test_two_dashes_at_the_end_hand_the_image_to_a_flag_that_follows() -> None:
    _, arguments = read("--")
    assert arguments.image is None
    assert "becomes the image" in arguments.problems[0].message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cap-add"], "`--cap-add` needs a value"),
        (["-v"], "`--volume` needs a value"),
        (["--priviliged"], "`--priviliged` is not a flag of `docker run`: did you mean `--privileged`"),
        (["--privileged=maybe"], "`--privileged` takes `true` or `false`, not `maybe`"),
        (["-iZ"], "`-Z` is not a flag"),
        (["---x"], "`---x` is not a flag"),
        (["--=x"], "`--=x` is not a flag"),
        ([5], "expected text in double quotes"),
        (["${localEnv:ARGS}"], "`${localEnv:ARGS}` may become a flag or the image"),
    ],
)  # fmt: skip
def test_what_docker_refuses_is_a_problem(words: list[object], message: str) -> None:
    _, arguments = read(*words)
    assert len(arguments.problems) == 1
    assert message in arguments.problems[0].message
    assert arguments.problems[0].message[-1] != "."


def test_an_unknown_variable_does_not_hide_the_flags_behind_it() -> None:
    assert flags("${localEnv:ARGS}", "--privileged") == [("privileged", "true")]


def test_a_variable_as_boolean_stays_as_written() -> None:
    _, arguments = read("--privileged=${localEnv:P}")
    assert arguments.flags[0].value == "${localEnv:P}"
    assert not arguments.flags[0].is_on()
    assert arguments.problems == ()


def test_an_unknown_flag_keeps_the_words_behind_it_readable() -> None:
    assert flags("--nope", "x", "--privileged") == [("nope", "x"), ("privileged", "true")]
    assert flags("--nope", "--privileged") == [("nope", None), ("privileged", "true")]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--cap-add=SYS_ADMIN"], "SYS_ADMIN"),
        (["--cap-add", "SYS_ADMIN"], "SYS_ADMIN"),
        (["-v/:/host"], "/:/host"),
        (["-u=0"], "0"),
        (["--privileged"], "--privileged"),
        (["--privileged=true"], "true"),
        (["-it=false"], "false"),
        (["--env=a=𝒳"], "a=𝒳"),
        (['--env=a="b"'], '--env=a=\\"b\\"'),
    ],
)
def test_the_value_span_covers_the_value_as_written(words: list[str], shown: str) -> None:
    text, arguments = read(*words)
    span = arguments.flags[-1].value_span
    assert text[span.start : span.end] == shown


def test_last_and_all() -> None:
    _, arguments = read("--user=a", "--user=b", "--init")
    last = arguments.last("user")
    assert last is not None and last.value == "b"
    assert [flag.value for flag in arguments.all("user")] == ["a", "b"]
    assert arguments.last("pid") is None


WORDS = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.builds(
        "".join,
        st.lists(
            st.sampled_from(
                ["-", "--", "=", "i", "t", "v", "u", "privileged", "cap-add", "x", "${"]
            ),
            max_size=5,
        ),
    ),
)


@given(st.lists(WORDS, max_size=8))
def test_any_words_are_read_and_every_word_has_one_place(words: list[object]) -> None:
    text, arguments = read(*words)
    root = jsonc.parse(text).root
    assert root is not None
    used = [node.span for flag in arguments.flags for node in flag.nodes]
    image = [arguments.image.span] if arguments.image else []
    tail = [node.span for node in arguments.rest]
    reported = [problem.span for problem in arguments.problems]
    dashes = [node.span for node in root.items if node.value == "--"]
    every = {item.span for item in root.items}
    assert every == set(used) | set(image) | set(tail) | (set(reported + dashes) & every)
    for flag in arguments.flags:
        assert any(node.span.contains(flag.value_span) for node in flag.nodes)


def test_what_is_not_read_any_more_is_said() -> None:
    _, parsed = read(*["--privileged"] * (argv.MOST_WORDS + 1))
    assert len(parsed.flags) == argv.MOST_WORDS
    assert [problem.message for problem in parsed.problems] == [
        "more than 20,000 words: the rest is not read"
    ]
