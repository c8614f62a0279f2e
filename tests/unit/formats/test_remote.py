"""What a devcontainer.json and a label ask of the tool in the running container."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.formats.devcontainer import remote as reader
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.container import Pair
from sandboxd.model.remote import NO_REMOTE, STAGES, Command, Hook, Port, Remote, over
from sandboxd.syntax import jsonc

INSIDE = Variables(workspace="/home/ann/weather", container_workspace="/workspaces/weather")


def read(config: dict[str, Any]) -> Remote:
    root = jsonc.parse(json.dumps(config)).root
    assert root is not None
    return reader.read(root, "devcontainer.json", INSIDE)


def commands(value: Any) -> tuple[Command, ...]:
    hooks = read({"postCreateCommand": value}).hooks
    assert len(hooks) <= 1
    return hooks[0].commands if hooks else ()


def test_a_text_is_for_a_shell_and_a_list_is_a_program() -> None:
    assert commands("make && x") == (Command("", ("/bin/sh", "-c", "make && x"), "make && x"),)
    assert commands(["make", "a b"]) == (Command("", ("make", "a b"), "make a b"),)


def test_an_object_is_several_side_by_side() -> None:
    several = commands({"server": "npm start", "db": ["mysql", "-u", "root"], "none": "  "})
    assert [(c.name, c.words) for c in several] == [
        ("server", ("/bin/sh", "-c", "npm start")),
        ("db", ("mysql", "-u", "root")),
    ]


@pytest.mark.parametrize("value", ["", "  ", [], {}, 3, True, None, {"a": {"b": "c"}}])
def test_other_forms_are_no_hook(value: Any) -> None:
    assert commands(value) == ()


def test_variables_are_those_of_the_place_and_not_of_the_host() -> None:
    config = {
        "onCreateCommand": "ls ${containerWorkspaceFolder} ${localEnv:TOKEN}",
        "remoteEnv": {"A": "${containerEnv:PATH}:${localWorkspaceFolderBasename}", "B": None},
    }
    remote = read(config)
    assert remote.hooks[0].commands[0].written == "ls /workspaces/weather ${localEnv:TOKEN}"
    assert remote.env == (Pair("A", "${containerEnv:PATH}:weather"),)


def test_a_label_comes_below_the_file_and_its_features_are_named() -> None:
    label = [
        {
            "remoteEnv": {"A": "1", "B": "1"},
            "waitFor": "onCreateCommand",
            "onCreateCommand": "base",
        },
        {"id": "ghcr.io/x/go:1", "onCreateCommand": "feature", "postStartCommand": "serve"},
    ]
    file = read({"remoteEnv": {"B": "2"}, "onCreateCommand": "own", "userEnvProbe": "none"})
    both = over(reader.of_label(json.dumps(label), INSIDE), file)
    assert [(h.stage, h.source, h.commands[0].written) for h in both.hooks] == [
        ("onCreateCommand", "the image's label", "base"),
        ("onCreateCommand", "Feature `ghcr.io/x/go:1`", "feature"),
        ("onCreateCommand", "devcontainer.json", "own"),
        ("postStartCommand", "Feature `ghcr.io/x/go:1`", "serve"),
    ]
    assert both.env == (Pair("A", "1"), Pair("B", "2"))
    assert (both.wait_for, both.env_probe) == ("onCreateCommand", "none")


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "// x\n[]", "[" * 100_000])
def test_a_label_that_is_none_asks_for_nothing(text: str) -> None:
    assert reader.of_label(text, INSIDE) == NO_REMOTE


@given(st.dictionaries(st.sampled_from([*STAGES, "waitFor", "remoteEnv", "id"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)))  # fmt: skip
def test_no_label_breaks_the_reader(entry: dict[str, Any]) -> None:
    remote = reader.of_label(json.dumps([entry]), INSIDE)
    assert all(
        hook.commands and all(command.words for command in hook.commands) for hook in remote.hooks
    )


@pytest.mark.parametrize(
    ("wait_for", "count"),
    [("", 2), ("initializeCommand", 0), ("onCreateCommand", 1), ("postAttachCommand", 6), ("x", 0)],
)
def test_wait_for_says_how_many_hooks_are_waited_for(wait_for: str, count: int) -> None:
    assert Remote(wait_for=wait_for).waits_for() == count


def test_hooks_stay_in_the_order_of_their_sources_within_a_stage() -> None:
    def hook(stage: str, source: str) -> Hook:
        return Hook(stage, source, (Command("", ("true",), "true"),))

    below = Remote((hook(STAGES[0], "a"), hook(STAGES[3], "a")))
    above = Remote((hook(STAGES[0], "b"), hook(STAGES[2], "b")))
    assert [(h.stage, h.source) for h in over(below, above).hooks] == [
        (STAGES[0], "a"),
        (STAGES[0], "b"),
        (STAGES[2], "b"),
        (STAGES[3], "a"),
    ]


def test_ports_with_their_attributes() -> None:
    remote = read(
        {
            "forwardPorts": [3000, "localhost:3001", "db:5432", 0, "x", 70000, 8443, True, 3000],
            "portsAttributes": {
                "3000": {"label": "Web"},
                "8000-9000": {"protocol": "https", "requireLocalPort": True},
                ".*": {"label": "no"},
            },
            "otherPortsAttributes": {"label": "Rest"},
        }
    )
    assert remote.ports == (
        Port(3000, "Web"),
        Port(3001, "Rest"),
        Port(5432, "Rest", service="db"),
        Port(8443, "", "https", needs_same=True),
    )


def ports(**config: Any) -> list[str]:
    """The ports of a config, as `sandboxd forward` takes them."""
    return [port.text for port in read(config).ports]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (3000, ["3000"]),
        ("3000", ["3000"]),
        ("localhost:3000", ["3000"]),
        ("db:5432", ["db:5432"]),
        ([3000, "DB:5432", 3000], ["3000", "db:5432"]),
        ([], []),
        ("", []),
        (None, []),
    ],
)
def test_each_form_of_forward_ports(written: Any, read_as: list[str]) -> None:
    assert ports(forwardPorts=written) == read_as
    assert read({"forwardPorts": written}).no_ports == ()


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (3000, ["3000"]),
        ("3000", ["3000"]),
        ("8080:3000", ["3000:8080"]),
        ("127.0.0.1:8080:3000", ["3000:8080"]),
        ("[::1]:3000:3000/tcp", ["3000"]),
        ("0.0.0.0::3000", ["3000"]),
        ("3000-3002:4000-4002", ["4000:3000", "4001:3001", "4002:3002"]),
        ("8000-8009:80", ["80:8000"]),
        (["3000", 3001, "9000:3000"], ["3000", "3001", "3000:9000"]),
    ],
)
def test_each_form_of_app_port(written: Any, read_as: list[str]) -> None:
    assert ports(appPort=written) == read_as
    assert read({"appPort": written}).no_ports == ()


@pytest.mark.parametrize(
    ("key", "written", "why"),
    [
        ("forwardPorts", "web", "it is no port: write `3000`"),
        ("forwardPorts", 70000, "it is no port"),
        ("forwardPorts", 0.5, "it is no port"),
        ("forwardPorts", True, "it is no port"),
        ("forwardPorts", "8080:3000", '`8080` is the name of a service there; write `3000`, or `"appPort"'),
        ("appPort", "web", "it is nothing that can be published"),
        ("appPort", "db:3000", "it is nothing that can be published"),
        ("appPort", "53:53/udp", "`udp` is not forwarded, TCP alone is"),
        ("appPort", "3000-3002:4000-4001", "its ranges are not of one length"),
        ("appPort", "1-60000", "it is a range of more than 50 ports"),
        ("appPort", "3002-3000", "it is nothing that can be published"),
    ],
)  # fmt: skip
def test_what_is_no_port_is_named(key: str, written: Any, why: str) -> None:
    remote = read({key: [written, 4000]})
    assert [port.text for port in remote.ports] == ["4000"], "the others count"
    (line,) = remote.no_ports
    assert line.startswith(f"{key} `{written}` is not forwarded: ") and why in line


def test_app_port_has_no_effect_in_a_compose_project() -> None:
    remote = read({"dockerComposeFile": "c.yml", "appPort": 3000, "forwardPorts": [4000]})
    assert [port.text for port in remote.ports] == ["4000"]
    assert remote.no_ports == (
        "appPort `3000` is not forwarded: it has no effect in a Compose project; `forwardPorts` has",
    )


def test_a_config_has_no_more_than_so_many_ports() -> None:
    remote = read({"forwardPorts": list(range(1, 52))})
    assert len(remote.ports) == 50
    assert remote.no_ports == ("forwardPorts `51` is not forwarded: it is one of more than 50",)
