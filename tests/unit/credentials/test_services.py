"""The services that ship: each complete, and each bound to what it needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from sandboxd.credentials import service, services, uses
from sandboxd.credentials.name import Name
from sandboxd.credentials.secret import Secret
from sandboxd.egress import groups, layout
from sandboxd.egress.names import pattern
from sandboxd.inside import agent_socket
from sandboxd.model.labels import SETTINGS_FOLDER

NAMES = services.names()
GATEWAY = layout.GATEWAY_NAME


def content(name: str) -> dict[str, object]:
    return tomllib.loads(Path(services.path(name)).read_text(encoding="utf-8"))


def test_the_usual_ones_are_there() -> None:
    assert {"github", "gitlab", "anthropic", "openai", "gemini", "npm", "pypi"} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_a_person_has_to_know(name: str) -> None:
    loaded = service.load(name)
    assert loaded.title and loaded.secret and loaded.admits and loaded.limits
    assert re.match(r"https://[\w.-]+\.[a-z]+/\S*$", loaded.source)
    assert {*loaded.groups} <= {*groups.names()}
    assert not any(text.endswith(".") for text in (loaded.secret, loaded.admits, loaded.limits))


@pytest.mark.parametrize("name", NAMES)
def test_each_endpoint_is_one_host_by_tls(name: str) -> None:
    for endpoint in service.load(name).endpoints:
        assert not pattern(endpoint.host).below
        assert endpoint.port == 443
        assert endpoint.header.lower() in (
            "authorization",
            "private-token",
            "x-api-key",
            "x-goog-api-key",
        )
        assert all(method.isupper() for method in endpoint.methods)


@pytest.mark.parametrize("name", NAMES)
def test_what_tools_see_leads_to_the_gateway_and_holds_no_secret(name: str) -> None:
    (use,) = uses.assign([Name(name)], ())
    lines = uses.environment([use], "/p")
    lines += uses.files([use], "/p").values()
    if use.service.uses_agent:
        assert f"SSH_AUTH_SOCK={agent_socket.SOCKET}" in lines
        assert use.doors == ()
    else:
        assert [line for line in lines if GATEWAY in line]
    assert not [line for line in lines if "{" in line or "}" in line]
    for door in use.doors:
        assert any(f"{GATEWAY}:{door.port}" in line for line in lines), door.label


@pytest.mark.parametrize("name", NAMES)
def test_files_lie_where_a_look_at_the_sandbox_expects_them(name: str) -> None:
    for file in service.load(name).files:
        assert re.fullmatch(re.escape(SETTINGS_FOLDER) + r"[a-z]+", file.path)


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_stays_within_what_is_bound(name: str) -> None:
    loaded = service.load(name)
    if loaded.trial is not None:
        endpoint = loaded.endpoint(loaded.trial.endpoint)
        assert loaded.trial.path.startswith(endpoint.paths)
        assert not endpoint.methods or "GET" in endpoint.methods


def test_the_secret_stands_in_the_header_as_the_scheme_says() -> None:
    secret = Secret("tok")
    git, api = service.load("github").endpoints
    assert git.value(secret) == "Basic eC1hY2Nlc3MtdG9rZW46dG9r"
    assert api.value(secret) == "Bearer tok"
    assert service.load("anthropic").endpoints[0].value(secret) == "tok"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"surprise": 1}, "must have"),
        ({"endpoint": []}, "is there twice, or is not there"),
        ({"trial": {"endpoint": "none", "path": "/", "account": ""}}, "is not there"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        service.read("github", {**content("github"), **change})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scheme": "digest"}, "scheme"),
        ({"scheme": "bearer"}, "scheme"),
        ({"user": ""}, "scheme"),
        ({"paths": []}, "slash"),
        ({"paths": ["api/"]}, "slash"),
        ({"header": "A: b"}, "no name"),
        ({"surprise": 1}, "must have"),
    ],
)
def test_an_endpoint_that_is_not_whole_is_refused(change: dict[str, object], reason: str) -> None:
    data = content("github")
    endpoints = data["endpoint"]
    assert isinstance(endpoints, list)
    endpoints[0] |= change
    with pytest.raises(ValueError, match=reason):
        service.read("github", data)
