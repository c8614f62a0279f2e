"""sandboxd.toml: what it says with its places, and that anything unknown refuses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.config import reading
from sandboxd.config.model import Config
from sandboxd.config.reading import nearest
from sandboxd.config.values import profile_names
from sandboxd.text import SourceText

FULL = """\
profile = "agent"
runtime = "gvisor"
image = "img:1"
user = "dev"

[capabilities]
add = ["CAP_KILL", "net_bind_service"]

[network]
mode = "none"

[environment]
EDITOR = "vi"
EMPTY = ""

[[allow]]
rule = "host-network"
reason = "reviewed"
expires = 2027-01-31

[[allow]]
rule = "host-pid"
reason = "also"

[rules]
home-mounted = "off"
"""


def read(text: str, **options: object) -> tuple[Config | None, list[tuple[str, str]]]:
    source = SourceText("/p/sandboxd.toml", text)
    parsed, findings = reading.parse(source, **options)  # type: ignore[arg-type]
    return parsed, [(finding.rule, finding.message) for finding in findings]


def test_everything_with_its_place() -> None:
    parsed, findings = read(FULL)
    assert findings == []
    assert parsed is not None
    assert (parsed.workspace, parsed.path) == ("/p", "/p/sandboxd.toml")
    assert parsed.profile.value == "agent"
    assert parsed.runtime.value == "gvisor"
    assert [c.value for c in parsed.capabilities] == ["KILL", "NET_BIND_SERVICE"]
    assert parsed.network.mode is not None and parsed.network.mode.value == "none"
    assert [e.value for e in parsed.environment] == [("EDITOR", "vi"), ("EMPTY", "")]
    assert [(a.rule, a.expires) for a in parsed.allow] == [
        ("host-network", "2027-01-31"),
        ("host-pid", None),
    ]
    assert [r.value for r in parsed.rules] == [("home-mounted", "off")]
    image = parsed.image
    assert image is not None and image.place is not None
    span = image.place.span
    assert FULL[span.start : span.end] == '"img:1"'


def test_an_empty_file_is_the_default() -> None:
    parsed, findings = read("# nothing\n")
    assert findings == []
    assert parsed == Config(None, "/p")._replace(path="/p/sandboxd.toml")
    assert parsed is not None
    assert (parsed.profile.value, parsed.runtime.value) == ("dev", "auto")


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        ('runtme = "runc"', "config-unknown-key", "unknown key `runtme`; did you mean `runtime`?"),
        ("[netwrok]", "config-unknown-key", "unknown key `netwrok`; did you mean `network`?"),
        (
            '[network]\nmod = "none"',
            "config-unknown-key",
            "unknown key `network.mod`; did you mean `mode`?",
        ),
        ("zzz = 1", "config-unknown-key", "unknown key `zzz`"),
        ("profile = 3", "config-wrong-type", "`profile` must be a string, not `3`"),
        ("profile = true", "config-wrong-type", "`profile` must be a string, not `true`"),
        ("image = []", "config-wrong-type", "`image` must be a string, not a list"),
        ('network = "none"', "config-wrong-type", "`network` must be a table, not `none`"),
        (
            '[capabilities]\nadd = "KILL"',
            "config-wrong-type",
            "`capabilities.add` must be a list of strings, not `KILL`",
        ),
        (
            "[environment]\nN = 1",
            "config-wrong-type",
            "`environment.N` must be a string, not `1`",
        ),
        (
            "allow = 1",
            "config-wrong-type",
            "`allow` must be a list of tables (`[[allow]]`), not `1`",
        ),
        (
            '[[allow]]\nrule = "a"\nreason = "b"\nexpires = "soon"',
            "config-wrong-type",
            "`allow.expires` must be a date such as 2027-01-31, not `soon`",
        ),
        (
            'profile = "agnet"',
            "config-unknown-profile",
            "there is no profile `agnet`; there are `agent`, `dev`, `review`, `seed-baseline`, `trusted`, `untrusted`",
        ),
        (
            'runtime = "kata"',
            "config-invalid-value",
            "`runtime` must be one of `auto`, `gvisor`, `runc`, not `kata`",
        ),
        (
            '[network]\nmode = "host"',
            "config-invalid-value",
            "`network.mode` must be one of `default`, `none`, `allow`, `open`, not `host`",
        ),
        (
            '[capabilities]\nadd = ["NET_BIND"]',
            "config-invalid-value",
            "there is no capability `NET_BIND`; did you mean `NET_BIND_SERVICE`?",
        ),
        ('image = " "', "config-invalid-value", "`image` is empty"),
        (
            '[environment]\n"A=B" = "x"',
            "config-invalid-value",
            "`A=B` cannot be the name of a variable",
        ),
        ('[[allow]]\nrule = "a"', "config-invalid-value", "`[[allow]]` needs `reason`"),
        (
            '[limits]\nmemory = "6GB"',
            "config-invalid-value",
            "`limits.memory` must be a size like `512m` or `4g`, not `6GB`",
        ),
        (
            '[limits]\nprocesses = "100"',
            "config-invalid-value",
            "`limits.processes` must be a whole number like `2048`, not `100`",
        ),
        (
            "[limits]\ncpus = 2",
            "config-invalid-value",
            "`limits.cpus` must be a share of the engine's processors like `50%`, not `2`",
        ),
        (
            '[rules]\nhost-pid = "of"',
            "config-invalid-value",
            "`rules.host-pid` must be one of `off`, `hint`, `warning`, `error`, not `of`",
        ),
    ],
)
def test_what_is_wrong_refuses_the_file(text: str, rule: str, message: str) -> None:
    parsed, findings = read(text)
    assert parsed is None
    assert findings == [(rule, message)]


@pytest.mark.parametrize("text", ['profile = "dev', "profile =", "a = 1\na = 2", "[x\n", "\x00"])
def test_broken_toml_refuses_the_file(text: str) -> None:
    parsed, findings = read(text)
    assert parsed is None
    assert "config-syntax-error" in [rule for rule, _ in findings]


def test_rules_are_known_by_their_ids() -> None:
    text = '[[allow]]\nrule = "host-pit"\nreason = "x"\n[rules]\nnope = "off"\n'
    assert read(text)[1] == []
    _, findings = read(text, rule_ids=["host-pid", "host-network"])
    assert [message for _, message in findings] == [
        "there is no rule `host-pit`; did you mean `host-pid`?",
        "there is no rule `nope`",
    ]


def test_all_mistakes_are_named_at_once() -> None:
    _, findings = read('profile = 1\nruntme = "x"\n[network]\nmode = 2\n')
    assert len(findings) == 3


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    parsed, findings = read(text)
    assert (parsed is None) == bool(findings)


@given(
    st.sampled_from(
        ["profile", "network", "capabilities", "environment", "allow", "rules", "user"]
    ),
    st.sampled_from(["1", "true", '"x"', "[]", "{}", "[{}]", "1979-05-27", "[1, [2]]", "{a = {}}"]),
)
def test_no_value_breaks_it(key: str, value: str) -> None:
    parsed, findings = read(f"{key} = {value}\n")
    assert (parsed is None) == bool(findings)


def test_nearest_looks_upwards(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "sandboxd.toml").write_text("")
    assert nearest(str(below)) == str(tmp_path / "sandboxd.toml")
    (below / "sandboxd.toml").write_text("")
    assert nearest(str(below)) == str(below / "sandboxd.toml")


def test_profile_names_are_the_files() -> None:
    expected = ("agent", "dev", "review", "seed-baseline", "trusted", "untrusted")
    assert profile_names() == expected


def test_credentials_are_names_of_services() -> None:
    text = '[credentials]\nuse = ["github:work", "npm"]\nrequired = ["anthropic", "npm"]\n'
    config, messages = read(text)
    assert config is not None, messages
    assert [str(name) for name in config.credentials.names()] == ["anthropic", "github:work", "npm"]
    assert [str(setting.value) for setting in config.credentials.required] == ["anthropic", "npm"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'use = ["githb"]',
            "names no service that ships; did",
        ),
        ('use = ["github:"]', "has no account behind the colon"),
        ('use = ["github:a/b"]', "has no account behind the colon"),
        ('use = "github"', "`credentials.use` must be a list of strings"),
        ("use = [1]", "`credentials.use` must be a string"),
        ('used = ["github"]', "unknown key `credentials.used`"),
        ('use = ["github", "github:work"]', "are two accounts of one service"),
        ('use = ["npm:a"]\nrequired = ["npm:b"]', "are two accounts of one service"),
    ],
)
def test_credentials_that_mean_nothing_refuse_the_file(line: str, message: str) -> None:
    config, messages = read(f"[credentials]\n{line}\n")
    assert config is None
    assert any(message in words for _, words in messages), messages
