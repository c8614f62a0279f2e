"""A request gets a credential only for the method and path it is bound to, however it is spelled."""

from __future__ import annotations

import json
import posixpath
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.egress import layout
from sandboxd.egress.broker import Allowed, Binding, Refused, decide, is_stripped, url
from sandboxd.egress.broker_wire import (
    Credentials,
    NotBindings,
    credentials_from_json,
    credentials_to_json,
    names,
)

SECRET = "Bearer marked-secret-2f6c"
BINDING = Binding(
    service="github-api",
    port=8101,
    host="api.github.com",
    host_port=443,
    header="Authorization",
    value=SECRET,
    strip=("X-Extra-Token", "private_token"),
    methods=("GET", "POST"),
    paths=("/repos/me/mine", "/user"),
    extra=(("X-Version", "2022-11-28"),),
)


@pytest.mark.parametrize(
    "target",
    [
        "/user",
        "/user/",
        "/user?page=2",
        "/repos/me/mine/pulls?state=open&q=a/../b",
        "/repos/me/mine/contents/a%20b%C3%BC.txt",
        "/repos/me/mine/contents/dir%2Ffile",
        "/repos/me/mine/..file/...",
        "/repos/me/mine/.git/..a:b/.%20a",
        "/repos/me/mine/compare/v1...v2",
        "/repos/me/mine/contents/%e2%80%a6%ef%bc%8fa",
        "/repos/%6De/mine",
    ],
)
def test_what_lies_below_a_prefix_is_allowed_as_it_is_written(target: str) -> None:
    assert decide(BINDING, "GET", target) == Allowed(target)


@pytest.mark.parametrize(
    "target",
    ["/", "/users", "/user2", "/repos/me", "/repos/me/mine2", "/Repos/me/mine", "/repos/me%2Fmine",
     "/gists?x=/user", "/repos//me/mine"],
)  # fmt: skip
def test_another_path_is_refused(target: str) -> None:
    assert decide(BINDING, "GET", target) == Refused("path")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "*",
        "user",
        "//user",
        "/%2fuser",
        "/%ef%bc%8fuser",
        "http://api.github.com/user",
        "/user/../gists",
        "/user/./x",
        "/user/..",
        "/user/%2e%2e/gists",
        "/user/%2E./gists",
        "/user/..%2Fgists",
        "/user%2F..%2Fgists",
        "/user/..;/gists",
        "/user/..;a=b/gists",
        "/user\\..\\gists",
        "/user/..%5Cgists",
        "/user/%252e%252e/gists",
        "/user/%00",
        "/user/%0d%0aHost:x",
        "/user/%c0%ae%c0%ae/gists",
        "/user/%zz",
        "/user/%",
        "/user#/gists",
        "/user /gists",
        "/user/\u00fc",
        "/user/..%20/gists",
        "/user/%20../gists",
        "/user/..%c2%a0/gists",
        "/user/..%e2%80%8b/gists",
        "/user/.%20./gists",
        "/user/.%20",
        "/user/%ef%bc%8e%ef%bc%8e/gists",
        "/user/%e2%80%a5/gists",
        "/user/%ef%bc%8e%ef%bc%8e%ef%bc%8fgists",
        "/user/%ef%bc%852e%ef%bc%852e/gists",
        "/user/..%ef%bc%9ba/gists",
        "/user/..:/gists",
        "/user/..%3a/gists",
        "/user/..::$/gists",
        "/user/.../..../..%2e%20/gists",
        "/user/%e2%80%a6%20/gists",
    ],
)
def test_a_path_that_two_servers_read_in_two_ways_is_refused(target: str) -> None:
    assert decide(BINDING, "GET", target) == Refused("ambiguous")


def test_methods_are_those_of_the_binding_and_never_one_that_shows_the_secret() -> None:
    assert decide(BINDING, "POST", "/user") == Allowed("/user")
    for method in ("DELETE", "get", "TRACE"):
        assert decide(BINDING, method, "/user") == Refused("method")
    anything = BINDING._replace(methods=())
    assert decide(anything, "DELETE", "/user") == Allowed("/user")
    for method in ("TRACE", "trace", "CONNECT", "TRACK"):
        assert decide(anything, method, "/user") == Refused("method")


def test_a_binding_without_paths_allows_none_and_one_of_the_root_all() -> None:
    assert decide(BINDING._replace(paths=()), "GET", "/user") == Refused("path")
    assert decide(BINDING._replace(paths=("/",)), "GET", "/any/%2Fthing") == Allowed(
        "/any/%2Fthing"
    )


def test_an_encoded_slash_of_a_prefix_is_not_a_slash() -> None:
    project = BINDING._replace(paths=("/projects/group%2Fmine",))
    assert decide(project, "GET", "/projects/group%2fmine/issues") == Allowed(
        "/projects/group%2fmine/issues"
    )
    assert decide(project, "GET", "/projects/group/mine") == Refused("path")


@pytest.mark.parametrize(
    "query", ["private_token=x", "a=b&Private-Token=x", "a;private%5Ftoken=x", "private_token[]=x",
     "?private_token=x", "??private_token=x", "%3Fprivate_token=x", "private.token=x", "private+token=x",
     "private[token=x", "private_token[a]=x", "[private_token]=x", "private_token.=x", "_private_token=x",
     "PRIVATE%20token=x", "%ef%bd%90rivate_token=x", "a&?x.extra.token"],
)  # fmt: skip
def test_another_secret_in_the_query_is_refused(query: str) -> None:
    assert decide(BINDING, "GET", f"/user?{query}") == Refused("query")


@pytest.mark.parametrize(
    "query", ["page=private_token", "private=token", "q=a?private_token=x", "user[private_token]=x", "tokens=x"]
)  # fmt: skip
def test_a_query_without_such_a_parameter_passes(query: str) -> None:
    assert decide(BINDING, "GET", f"/user?{query}") == Allowed(f"/user?{query}")


@pytest.mark.parametrize(
    "name",
    ["Authorization", "AUTHORIZATION", "Cookie", "X_Api_Key", "x-extra_token", "x-version",
     "Proxy-Authorization", "X-HTTP-Method-Override", "X-Original-URL",
     "Authorization_", "authorization-", "AUTHORIZATION__", "Authorization.", "_Cookie", "x-extra-token_-",
     "X-Forwarded-For", "x_forwarded_user", "X-Forwarded-Client-Cert", "X-Forwarded", "X-Original-Host",
     "X-Envoy-Original-Path", "X-Envoy-Internal", "X-Real-IP", "x_real_ip_", "X-Real-Ip-Port"],
)  # fmt: skip
def test_header_fields_that_carry_a_right_or_change_the_request_are_stripped(name: str) -> None:
    assert is_stripped(BINDING, name)


def test_other_header_fields_pass() -> None:
    assert not any(
        is_stripped(BINDING, name)
        for name in ("Accept", "anthropic-version", "User-Agent", "Git-Protocol", "npm-command",
                     "X-Forwardedness", "X-Originality", "X-Real", "X-Stainless-OS")
    )  # fmt: skip


@given(st.lists(st.sampled_from(["user", "..", ".", "gists", "%2e", "/", "%2F", "%5c", ";", ""])))
def test_whatever_a_server_makes_of_an_allowed_path_lies_below_the_prefix(parts: list[str]) -> None:
    target = "/" + "/".join(parts)
    if isinstance(decide(BINDING, "GET", target), Allowed):
        for reading in (target, unquote(target), unquote(unquote(target))):
            assert posixpath.normpath(reading).startswith(("/user", "/repos/me/mine"))


@given(st.text(max_size=20))
def test_any_text_as_one_segment_below_a_prefix_is_judged_without_a_fault(text: str) -> None:
    decide(BINDING, "GET", f"/user/{text}")
    decision = decide(BINDING, "GET", f"/user/{quote(text, safe='')}")
    assert isinstance(decision, Allowed) or decision.reason == "ambiguous"


def test_the_url_is_the_same_in_each_sandbox() -> None:
    assert url(8101) == f"http://{layout.GATEWAY_NAME}:8101"


def test_no_text_of_a_binding_holds_the_secret() -> None:
    credentials = Credentials((BINDING,), "roots")
    for text in (repr(BINDING), str(BINDING), f"{BINDING}", repr(credentials), str([BINDING])):
        assert "marked" not in text
    assert names((BINDING,)) == (("github-api", 8101),)


def test_bindings_read_back_as_they_were() -> None:
    credentials = Credentials((BINDING, BINDING._replace(service="b", port=8102)), "-- PEM --\n")
    written = json.loads(json.dumps(credentials_to_json(credentials)))
    assert credentials_from_json(written["bindings"], written["roots"]) == credentials
    assert credentials_from_json([], "") == Credentials()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "Git Hub"),
        ("port", 3128),
        ("port", True),
        ("port", 0),
        ("host", "127.0.0.1"),
        ("host", "localhost"),
        ("host_port", 70000),
        ("header", "Authorization\r\n"),
        ("header", ""),
        ("value", "a\r\nb marked"),
        ("value", "marked\n"),
        ("value", " marked"),
        ("value", ""),
        ("value", "marked" * 2000),
        ("strip", ["a b"]),
        ("methods", ["TRACE"]),
        ("methods", "GET"),
        ("paths", ["user"]),
        ("paths", ["/a?b"]),
        ("paths", ["/a\n"]),
        ("extra", [["a"]]),
        ("extra", [["a", "b\r\nmarked"]]),
    ],
)
def test_what_is_no_binding_is_refused_without_showing_it(field: str, value: object) -> None:
    written: Any = credentials_to_json(Credentials((BINDING,)))["bindings"]
    written[0][field] = value
    with pytest.raises(NotBindings) as caught:
        credentials_from_json(written, "")
    assert "marked" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_keys_and_ports_are_there_once() -> None:
    written: Any = credentials_to_json(Credentials((BINDING,)))["bindings"]
    for bindings in (
        [*written, *written],
        [{**written[0], "more": 1}],
        [{key: value for key, value in written[0].items() if key != "paths"}],
        "bindings",
    ):
        with pytest.raises(NotBindings):
            credentials_from_json(bindings, "")
    with pytest.raises(NotBindings):
        credentials_from_json(written, 7)
