"""The JSON schema of sandboxd.toml and our own reader accept the same files."""

from __future__ import annotations

import tomllib
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd import rules
from sandboxd.cli import config_schema
from sandboxd.config import keys, reading
from sandboxd.config.key import TEXTS, Table
from sandboxd.config.model import Config
from sandboxd.text import SourceText

VALIDATOR = jsonschema_rs.validator_for(config_schema.schema())

VALID = (
    "",
    'profile = "review"\nruntime = "gvisor"\nimage = "a:1"\nuser = "1000:1000"',
    '[capabilities]\nadd = ["CAP_KILL", "net_bind_service", "Cap_Chown"]',
    "[capabilities]\nadd = []",
    '[workspace]\nshared_volumes = ["cargo-registry", "a.b_c"]',
    '[workspace]\nfolders = ["../lib", "../../a b/c.d"]',
    '[network]\nmode = "none"\nforward = ["1", "65535", "3000:8080", "my-db:5432", "db:5432:1"]',
    "[devices]\ngpus = []",
    '[devices]\ngpus = ["0", "GPU-4cf8db2d-06c0-7d70-1a51-e59b25b2c16c", "MIG-GPU-4cf8/1/0"]',
    '[network]\nmode = "default"',
    "[network]",
    '[network]\nmode = "allow"\nallow = []',
    '[network]\nallow = ["pypi", "github.com:443", "*.example.org", "xn--bcher-kva.example", "db:5432"]',
    '[network]\nmode = "allow"\nprivate = ["db", "db.corp.example:5432", "10.1.2.3:5432"]',
    '[network]\nmode = "open"',
    '[workspace]\nlayout = "bind"\nhot = ["node_modules", "a b/.venv"]',
    "[workspace]\nhot = []",
    '[environment]\nEDITOR = ""\n"odd name" = "a=b"\nHOME = "${containerEnv:HOME}"',
    '[[allow]]\nrule = "host-network"\nreason = "x"\nexpires = 2027-01-31',
    '[[allow]]\nrule = "host-network"\nreason = "x"\nexpires = "2027-01-31"',
    '[rules]\nhost-network = "off"\nhost-pid = "hint"',
    '[where]\nkubernetes = "arn:aws:eks:eu-west-1:1:cluster/team"',
    "[where]",
)
INVALID = (
    'profil = "dev"',
    'profile = "strict"',
    "profile = 1",
    'profile = ""',
    'runtime = "docker"',
    'image = " "',
    'image = ["a"]',
    'image = "${localEnv:IMAGE}"',
    'user = "${ENV:USER}"',
    "user = 1000",
    "capabilities = []",
    '[capabilities]\nadd = "KILL"',
    '[capabilities]\nadd = ["CAP_NOTHING"]',
    '[workspace]\nshared_volumes = "cache"',
    '[workspace]\nfolders = "../lib"',
    '[workspace]\nfolders = ["/etc"]',
    '[workspace]\nfolders = ["lib"]',
    '[workspace]\nfolders = ["../.ssh"]',
    '[workspace]\nfolders = ["../a/.ssh"]',
    '[workspace]\nfolders = ["../a/../b"]',
    '[workspace]\nfolders = [".."]',
    '[workspace]\nfolders = ["~/lib"]',
    '[workspace]\nfolders = ["../a:b"]',
    "[network]\nforward = [3000]",
    '[network]\nforward = ["0"]',
    '[network]\nforward = ["65536"]',
    '[network]\nforward = ["127.0.0.1:80"]',
    '[network]\nforward = ["web"]',
    '[network]\nforward = ["1:2:3"]',
    '[workspace]\nshared_volumes = ["/etc"]',
    '[workspace]\nshared_volumes = ["a,b"]',
    '[capabilities]\nadd = ["CAP_CAP_KILL"]',
    '[capabilities]\ndrop = ["ALL"]',
    '[devices]\ngpus = "all"',
    '[devices]\ngpus = ["every"]',
    '[devices]\ngpus = ["0,1"]',
    '[devices]\ngpus = ["all\\n"]',
    '[devices]\npaths = ["/dev/kvm"]',
    '[network]\nmode = "host"',
    '[network]\nallow = "pypi"',
    '[network]\nallow = ["pypy"]',
    '[network]\nallow = ["*"]',
    '[network]\nallow = ["*.com"]',
    '[network]\nallow = ["bücher.example"]',
    '[network]\nallow = ["https://example.org/"]',
    '[network]\nallow = ["a..example.org"]',
    '[network]\nallow = ["[::1]:443"]',
    '[network]\nallow = ["example.org:0"]',
    '[network]\nallow = ["example.org:https"]',
    '[network]\nprivate = ["fd00::1"]',
    '[network]\nmode = "open"\nallow = []',
    '[network]\nmode = "none"\nprivate = ["db:5432"]',
    '[where]\nkubernetes = ""',
    "[where]\nkubernetes = true",
    '[where]\nnamespace = "shop"',
    'where = "team"',
    '[workspace]\nlayout = "copy"',
    '[workspace]\nhot = "node_modules"',
    '[workspace]\nhot = ["/tmp"]',
    '[workspace]\nhot = ["a/../b"]',
    '[workspace]\nhot = ["."]',
    '[workspace]\nhot = ["a:b"]',
    '[workspace]\nhot = ["a/"]',
    '[workspace]\nhot = [" "]',
    '[workspace]\nhot = ["a\\nb"]',
    "[workspace]\nsize = 1",
    "[environment]\nA = 1",
    '[environment]\n"A=B" = "c"',
    '[environment]\n"" = "c"',
    '[environment]\nTOKEN = "${localEnv:TOKEN}"',
    '[environment]\nTOKEN = "a\\u0000b"',
    '[allow]\nrule = "host-network"\nreason = "x"',
    '[[allow]]\nrule = "host-network"',
    '[[allow]]\nreason = "x"',
    '[[allow]]\nrule = "no-such-rule"\nreason = "x"',
    '[[allow]]\nrule = "host-network"\nreason = ""',
    '[[allow]]\nrule = "host-network"\nreason = "x"\nexpires = "soon"',
    '[[allow]]\nrule = "host-network"\nreason = "x"\nuntil = 2027-01-31',
    '[rules]\nhost-network = "fatal"',
    '[rules]\nno-such-rule = "off"',
    "[rules]\nhost-network = true",
)


def reader_accepts(text: str) -> bool:
    config, _ = reading.parse(SourceText("/p/sandboxd.toml", text), rule_ids=rules.ids())
    return config is not None


def schema_accepts(text: str) -> bool:
    """As a TOML editor asks: dates are texts to a JSON schema."""
    return bool(VALIDATOR.is_valid(_as_json(tomllib.loads(text))))


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value if isinstance(value, (str, int, float)) else str(value)


@pytest.mark.parametrize("text", VALID)
def test_both_accept(text: str) -> None:
    assert (reader_accepts(text), schema_accepts(text)) == (True, True)


@pytest.mark.parametrize("text", INVALID)
def test_both_refuse(text: str) -> None:
    assert (reader_accepts(text), schema_accepts(text)) == (False, False)


@pytest.mark.parametrize("table", keys.tables(), ids=lambda table: table.name or "top")
def test_each_example_is_accepted_and_each_choice(table: Table) -> None:
    for key in table.keys:
        if key.name == "*":
            assert schema_accepts(f"{table.heading}\n{key.example}")
            assert reader_accepts(f"{table.heading}\n{key.example}")
        values = [f'"{choice}"' for choice in key.choices]
        if key.type == TEXTS:
            values = [f"[{value}]" for value in values]
        if table.is_open or table.repeated:
            continue
        for value in (key.example, *values):
            text = f"{table.heading}\n{key.name} = {value}"
            assert (reader_accepts(text), schema_accepts(text)) == (True, True), text


def test_defaults_are_those_of_the_reader() -> None:
    empty = Config(None, "/p")
    for key in keys.tables()[0].keys:
        if key.literal is not None:
            assert getattr(empty, key.name).value == key.literal


_WORDS = st.sampled_from(
    ["dev", "agent", "auto", "runc", "none", "", " ", "${env:A}", "KILL", "cap_kill", "off", "ı"]
)
_NAMES = keys.names_by_table()
_KEYS = st.sampled_from(sorted({*_NAMES, *sum(_NAMES.values(), ()), "host-pid", "x"}))
_VALUES = st.recursive(
    _WORDS | st.integers(0, 9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=3))
def test_they_agree_on_whatever_is_written(document: dict[str, Any]) -> None:
    import tomli_w

    text = tomli_w.dumps(document)
    assert reader_accepts(text) == schema_accepts(text)
