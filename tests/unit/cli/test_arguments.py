"""Options of a command that are fields of an operation's type."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.backends import selection
from sandboxd.backends.backend import Ability
from sandboxd.cli import arguments
from sandboxd.cli.commands import up
from sandboxd.cli.main import build_parser, load_command
from sandboxd.cli.on_cluster import options
from sandboxd.errors import UsageError
from sandboxd.ipc.parameters import InvalidParams
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.option import Options
from sandboxd.operations.options import (
    BenchOptions,
    PruneOptions,
    SandboxOptions,
    SettleOptions,
    StopOptions,
    TakeOptions,
    VerifyOptions,
    WhyOptions,
)
from sandboxd.operations.request import Request
from sandboxd.operations.start_options import AgentOptions, StartOptions

TYPED = {
    "image": ["--image", "debian"],
    "runtime_class": ["--runtime-class", "kata"],
    "gateway_image": ["--gateway-image", "python:3.12"],
    "seccomp_profile": ["--seccomp-profile", "a.json"],
    "sandbox": ["--sandbox"],
    "refresh": ["--refresh"],
    "allow_runc": ["--allow-runc"],
    "build": ["--build"],
    "pull": ["--pull"],
    "recreate": ["--recreate"],
    "fresh": ["--fresh"],
    "dotfiles": ["--dotfiles", "https://git.example/dots"],
    "secrets": ["--env-file", "FILE"],
    "hooks": ["--no-hooks"],
    "until_ready": ["--until-ready"],
}
"""Field -> the words that give it another value than the default."""
OF_NO_OPTION = {"name", "hooks_in_short", "keeps_secrets"}


def chosen(words: list[str]) -> ClusterOptions:
    parser = argparse.ArgumentParser()
    up.configure(parser)
    return arguments.chosen(parser.parse_args(words), ClusterOptions)


def sent(options: dict[str, Any]) -> ClusterOptions:
    """The options as the operation has them."""
    return Request("/ws", {}, options, pytest.fail).read_options(ClusterOptions)


def test_what_is_not_typed_has_its_default() -> None:
    assert chosen([]) == ClusterOptions()
    assert chosen(["--gateway-image", ""]) == ClusterOptions()


@pytest.mark.parametrize("field", sorted({*ClusterOptions.defaults} - OF_NO_OPTION))
def test_each_option_of_up_is_one_field_and_comes_to_the_operation(
    field: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("TOKEN=1\n")
    options = chosen([word.replace("FILE", str(tmp_path / "file")) for word in TYPED[field]])
    changed = {
        name
        for name in ClusterOptions.defaults
        if getattr(options, name) != getattr(ClusterOptions(), name)
    }
    assert changed == {field}
    assert sent({**dict(options), "view": {}, "environ": {}}) == options


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recreat": True}, "`recreat` is no option"),
        ({"hooks": "no"}, "`hooks` is neither true nor false"),
        ({"dotfiles": None}, "`dotfiles` is not a string"),
        ({"secrets": {"A": 1}}, "`secrets` is not made of variables"),
    ],
    ids=str,
)
def test_what_a_client_sends_is_taken_whole_or_not_at_all(
    change: dict[str, Any], words: str
) -> None:
    whole = dict(ClusterOptions())
    with pytest.raises(InvalidParams, match=words):
        sent(whole | change)
    for name in whole:
        with pytest.raises(InvalidParams, match=f"`{name}` is missing"):
            sent({each: value for each, value in whole.items() if each != name})


def test_a_copy_begun_anew_takes_its_container_with_it() -> None:
    made_anew = [
        StartOptions(fresh=fresh, recreate=again).replace
        for fresh in (False, True)
        for again in (False, True)
    ]
    assert made_anew == [None, "container", "copy", "copy"]


def test_options_cannot_be_changed_or_misspelt() -> None:
    options = StartOptions(build=True)
    with pytest.raises(AttributeError, match="`build` of StartOptions"):
        options.build = False  # type: ignore[misc]
    with pytest.raises(TypeError, match="no field `rebuild`"):
        StartOptions(rebuild=True)  # type: ignore[call-arg]
    assert repr(options) == "StartOptions(build=True)"
    assert options != StartOptions() and options == StartOptions(build=True)


@pytest.mark.parametrize("task", [None, "tidy up"])
def test_a_text_that_may_be_none_and_words_come_to_the_operation(task: str | None) -> None:
    options = AgentOptions(name="claude", task=task, more=("--model", "x"))
    sent = json.loads(json.dumps(dict(options)))
    assert Request("/ws", {}, sent, pytest.fail).read_options(AgentOptions) == options
    with pytest.raises(InvalidParams, match="`more` is not a list of strings"):
        Request("/ws", {}, sent | {"more": "x"}, pytest.fail).read_options(AgentOptions)


@pytest.mark.parametrize(
    "values",
    [
        StopOptions(name="a", discard=True),
        VerifyOptions(name="a", container="b", is_fresh=True, with_controls=True),
        WhyOptions(name="a", before=("1", "2")),
        SettleOptions(name="a", removals=3, restores=True),
        TakeOptions(name="a", ref="b", expect="c", acting=True),
        PruneOptions(frees=True, with_work=True),
        BenchOptions(command=("make",), rounds=2, copy_limit=7, plain=True, allow_runc=True),
        SandboxOptions(name="a"),
    ],
    ids=lambda values: type(values).__name__,
)
def test_the_options_of_each_operation_come_to_it(values: Options) -> None:
    """Each field has another value than its default, so that one that is not sent is seen."""
    assert all(value != values.defaults[name] for name, value in vars(values).items())
    sent = json.loads(json.dumps(dict(values)))
    assert Request("/ws", {}, sent, pytest.fail).read_options(type(values)) == values
    assert type(values)() == Request(
        "/ws", {}, json.loads(json.dumps(dict(type(values)()))), pytest.fail
    ).read_options(type(values))


def typed(command: str, words: list[str]) -> tuple[Any, argparse.Namespace]:
    module: Any = load_command(command)
    return module, build_parser(command, module).parse_args(words)


OF_COMMANDS = [
    ("review", ["--kept"]),
    ("up", []), ("agent", []), ("verify", []), ("shell", []), ("logs", []), ("down", []), ("status", []), ("doctor", []),
    ("exec", ["--", "true"]), ("egress", ["allow", "files.example.org"]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "words"), OF_COMMANDS)
def test_what_means_nothing_on_a_cluster_is_an_option_of_its_command(
    command: str, words: list[str]
) -> None:
    module, args = typed(command, words)
    refused = {*getattr(module, "NEEDS", ())}
    assert refused and refused <= vars(args).keys()


@pytest.mark.parametrize("command", [name for name, _ in OF_COMMANDS])
def test_an_option_that_a_backend_lacks_is_refused_in_the_words_of_that_backend(
    command: str,
) -> None:
    needs: dict[str, str] = getattr(load_command(command), "NEEDS", {})
    for name, need in needs.items():
        one = argparse.Namespace(**{name: "x", "on": ""})
        options.refuse(one, needs)
        one.on = "team"
        with pytest.raises(UsageError, match=r"^`--[a-z-]+` does not go with `--on`$") as told:
            options.refuse(one, needs)
        assert told.value.hint == selection.lacks("team")[Ability(need)].hint


def test_each_ability_that_a_cluster_lacks_is_asked_for() -> None:
    needs = {
        need
        for name, _ in OF_COMMANDS
        for need in getattr(load_command(name), "NEEDS", {}).values()
    }
    assert {each.value for each in selection.lacks("team")} == {
        *needs,
        # Commands ask for these where they need them, without an option of their own.
        Ability.REACH_SERVICES.value,
        Ability.HIDE_VARIABLES.value,
        Ability.REMEMBER_PROJECTS.value,
        Ability.SHOW_CONTROLS.value,
    }
