"""Options stand before, between or behind the words of a command."""

from __future__ import annotations

import itertools

import pytest

from sandboxd.cli._parser import parse
from sandboxd.cli.main import build_parser, load_command
from sandboxd.errors import UsageError


@pytest.mark.parametrize(
    ("name", "words", "options"),
    [
        ("trust", ["add", "/srv/app"], [["--yes"], ["--expect", "d"]]),
        ("export", ["kubernetes", "/srv/app"], [["--cpus", "3"], ["--sandbox"]]),
    ],
)
def test_every_order_means_the_same(name: str, words: list[str], options: list[list[str]]) -> None:
    command = load_command(name)
    expected = build_parser(name, command).parse_args([*words, *options[0], *options[1]])
    assert expected.path == "/srv/app"
    pieces = [[word] for word in words] + options
    for order in itertools.permutations(pieces):
        if order.index([words[0]]) < order.index([words[1]]):
            given = [word for piece in order for word in piece]
            assert parse(build_parser(name, command), given) == expected, given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["add", "/srv/app", "--jsn"], "there is no option `--jsn`"),
        (["add", "/srv/app", "more"], "`more` is one argument too many"),
        (["ad"], "`ad` is no choice"),
    ],
)
def test_faults_are_said_in_words(given: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(build_parser("trust", load_command("trust")), given)


@pytest.mark.parametrize(
    ("name", "words", "option"),
    [
        ("review", ["--restor", "f"], "--restore"),
        ("up", ["--rec"], "--recreate"),
        ("daemon", ["install", "--und"], "--undo"),
    ],
)
def test_an_abbreviated_option_is_refused_with_its_whole_name(
    name: str, words: list[str], option: str
) -> None:
    with pytest.raises(UsageError, match="there is no option") as caught:
        parse(build_parser(name, load_command(name)), words)
    assert caught.value.hint is not None and f"did you mean `{option}`?" in caught.value.hint


def test_a_word_that_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match="`kubernetes` is missing"):
        parse(build_parser("export", load_command("export")), ["--sandbox"])


@pytest.mark.parametrize(
    ("name", "words", "message", "hint"),
    [
        ("explain", [], "`RULE` is missing", "see `sandboxd explain --help`"),
        ("daemon", [], "`ACTION` is missing", "choose one of `start`, `forget`, "),
        (
            "up",
            ["app"],
            "`app` is one argument too many",
            "another project is `--project app`; see",
        ),
        (
            "egress",
            ["allow", "a.test", "--fro", "1h"],
            "there is no option `--fro`",
            "did you mean `--for`? see",
        ),
        (
            "egress",
            ["list", "x"],
            "`x` is one argument too many",
            "another project is `--project x`; see `sandboxd egress list",
        ),
        ("check", ["--baseline"], "`--baseline` needs a value", "see `sandboxd check --help`"),
        ("init", ["-t"], "`--template` needs a value", "see `sandboxd init --help`"),
        (
            "bench",
            ["--rounds", "x"],
            "`x` is no whole number for `--rounds`",
            "see `sandboxd bench",
        ),
        (
            "audit",
            ["--json", "--otlp"],
            "`--otlp` does not go with `--json`",
            "see `sandboxd audit",
        ),
        ("check", ["--fix=1"], "`--fix` takes no value", "see `sandboxd check --help`"),
        ("rules", ["app"], "`app` is one argument too many", "see `sandboxd rules --help`"),
    ],
)
def test_the_hint_has_what_the_command_takes(
    name: str, words: list[str], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as failed:
        parse(build_parser(name, load_command(name)), words)
    assert failed.value.message == message
    assert (failed.value.hint or "").startswith(hint)
