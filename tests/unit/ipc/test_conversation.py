"""The thin client: JSON without `json`, and the variables by which an engine is meant."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.engine import contexts
from sandboxd.ipc import messages
from sandboxd.ipc.conversation import decode, encode
from sandboxd.ipc.dial import engine_variables, hello

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_a_message_is_the_json_of_everybody_else(value: Any) -> None:
    assert json.loads(encode(value)) == value
    assert decode(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_no_line_is_more_than_not_json(line: bytes) -> None:
    try:
        decode(line)
    except (ValueError, RecursionError):
        return


def test_a_value_of_the_environment_that_is_no_text_arrives() -> None:
    value = os.fsdecode(b"\xff\xfe")
    assert os.fsencode(json.loads(encode({"A": value}))["A"]) == b"\xff\xfe"


def test_all_that_decides_about_an_engine_travels() -> None:
    others = {"HOME", "XDG_RUNTIME_DIR"}
    assert others < set(messages.FOLDER_VARIABLES)
    assert set(messages.ENGINE_VARIABLES) | others == set(contexts.VARIABLES)


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({"PATH": "/bin", "HOME": "/h"}, {}),
        ({"DOCKER_HOST": "tcp://e:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"}, None),
        ({"DOCKER_CONFIG": "x"}, {"DOCKER_CONFIG": f"{os.getcwd()}/x"}),
        ({"DOCKER_HOST": "unix://e.sock"}, {"DOCKER_HOST": f"unix://{os.getcwd()}/e.sock"}),
        ({"DOCKER_HOST": ""}, None),
        ({"DOCKER_CONFIG": "", "HOME": "/h"}, {}),
    ],
)
def test_paths_are_the_caller_s(environ: dict[str, str], sent: dict[str, str] | None) -> None:
    folder = {"DOCKER_CONFIG": f"{environ.get('HOME', '')}/.docker"}
    assert engine_variables(environ) == folder | (environ if sent is None else sent)
    assert json.loads(hello(environ, "/w"))["params"]["engine"] == engine_variables(environ)
