"""Ports and variables of a sandbox's credentials: the same each time, and in nobody's way."""

from __future__ import annotations

import pytest

from sandboxd.credentials import uses
from sandboxd.credentials.name import Name
from sandboxd.egress import layout

GITHUB, NPM, WORK = Name("github"), Name("npm"), Name("github", "work")
GATEWAY = layout.GATEWAY_NAME


def ports(planned: tuple[uses.Use, ...]) -> dict[str, int]:
    return {door.label: door.port for use in planned for door in use.doors}


def variables(lines: list[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines)


def test_ports_do_not_depend_on_the_order_and_are_different() -> None:
    planned = ports(uses.assign([NPM, GITHUB], ()))
    assert planned == ports(uses.assign([GITHUB, NPM, GITHUB], ()))
    assert len(set(planned.values())) == 3
    assert not {layout.PROXY_PORT, layout.SOCKS_PORT, layout.ASK_PORT} & set(planned.values())


def test_a_port_that_the_policy_needs_is_left_to_it() -> None:
    reserved = {uses.FIRST_PORT, uses.FIRST_PORT + 2}
    assert not reserved & set(ports(uses.assign([GITHUB, NPM], (), reserved)).values())


def test_what_is_required_is_known() -> None:
    github, npm = uses.assign([GITHUB, NPM], {NPM})
    assert (github.is_required, npm.is_required) == (False, True)


def test_git_goes_on_from_the_settings_that_are_there() -> None:
    present = [
        "GIT_CONFIG_COUNT=1",
        "GIT_CONFIG_KEY_0=core.checkStat",
        "GIT_CONFIG_VALUE_0=minimal",
    ]
    values = variables(uses.environment(uses.assign([GITHUB], ()), "/p", present))
    assert values["GIT_CONFIG_COUNT"] == "4"
    assert "GIT_CONFIG_KEY_0" not in values
    keys = {values[f"GIT_CONFIG_KEY_{number}"] for number in (1, 2, 3)}
    assert keys == {f"url.http://{GATEWAY}:{uses.FIRST_PORT}/.insteadOf"}
    prefixes = {values[f"GIT_CONFIG_VALUE_{number}"] for number in (1, 2, 3)}
    assert prefixes == {"https://github.com/", "git@github.com:", "ssh://git@github.com/"}


def test_a_variable_of_the_project_stays_as_it_is() -> None:
    planned = uses.assign([NPM], ())
    values = variables(uses.environment(planned, "/p", ["npm_config_registry=mine"]))
    assert "npm_config_registry" not in values
    assert values["npm_config_globalconfig"] == "/etc/sandboxd/npmrc"


def test_a_file_has_what_no_variable_can_say() -> None:
    text = uses.files(uses.assign([NPM], ()), "/p")["/etc/sandboxd/npmrc"]
    assert text == f"//{GATEWAY}:{uses.FIRST_PORT}/:_authToken={uses.decoy('/p', NPM)}\n"
    assert uses.files(uses.assign([GITHUB], ()), "/p") == {}


def test_a_placeholder_is_of_one_project_and_one_credential() -> None:
    texts = {
        uses.decoy(workspace, name) for workspace in ("/a", "/b") for name in (GITHUB, NPM, WORK)
    }
    assert len(texts) == 6
    assert uses.decoy("/a", GITHUB) == uses.decoy("/a", GITHUB)


def test_a_word_that_is_not_there_is_no_text() -> None:
    assert uses.fill("a {b} c", {"b": "x"}) == "a x c"
    with pytest.raises(KeyError):
        uses.fill("{other}", {"b": "x"})


def test_rights_name_hosts_methods_and_paths() -> None:
    (use,) = uses.assign([GITHUB], ())
    assert use.rights() == (
        "github.com (GET, HEAD, POST, PUT; /); api.github.com (every method; /)"
    )
