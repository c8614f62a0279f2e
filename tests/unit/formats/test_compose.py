from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandboxd import formats
from sandboxd.errors import MissingFileError, UnreadableError
from sandboxd.findings import Add, Remove, Replace
from sandboxd.formats import compose
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.model.container import Container
from sandboxd.model.files import Files
from sandboxd.text import SourceText, apply_edits
from tests.growth import growth

PATH = "/p/docker-compose.yml"


def read(text: str, /, files: dict[str, str] | None = None, **known: Any) -> dict[str, Container]:
    texts = {f"/p/{name}": SourceText(f"/p/{name}", text) for name, text in (files or {}).items()}
    variables = Variables(files=Files(texts), **known)
    document = compose.parse(SourceText(PATH, text))
    return {container.name: container for container in containers(document, variables)}


def one(text: str, /, files: dict[str, str] | None = None, **known: Any) -> Container:
    (container,) = read(text, files, **known).values()
    return container


# Which files are Compose files


@pytest.mark.parametrize(
    "name",
    [
        "compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml",
        "compose.override.yaml", "docker-compose.dev.yml", "app.compose.yaml", "Docker-Compose.yml",
        "my-docker-compose.yml", "dockercompose.yml",
    ],
)  # fmt: skip
def test_names_of_compose_files(name: str) -> None:
    assert formats.find(f"/p/{name}") is compose
    assert formats.find_in_tree(f"/p/{name}") is compose


@pytest.mark.parametrize("name", ["decompose.yml", "composer.yml", "compose.json", "x.yml"])
def test_other_names_are_none(name: str) -> None:
    assert formats.find_in_tree(f"/p/{name}") is not compose


def test_another_name_is_known_by_its_content() -> None:
    assert formats.find("/p/base.yml", "x: 1\nservices:\n  a:\n    image: b\n") is compose
    assert formats.find("/p/pod.yml", "services: []\nspec:\n  image: x\n") is not compose


# Where values stand and where they come from


@pytest.mark.parametrize(
    "spelling",
    [
        "privileged: true", "privileged: &p true", "privileged: !override true",
        "privileged: !!bool true", 'privileged: !!bool &p "true"', "privileged: *on", "*key : *on",
        "? &k privileged\n    : !!binary dHJ1ZQ==", '"priv\\x69leged": !own &p "yes"',
        "privileged: &p # why\n      true", "<<: { privileged: true }", "<<: *all",
    ],
)  # fmt: skip
def test_a_value_is_read_from_its_node_however_it_is_spelled(spelling: str) -> None:
    text = "x-a: [&on true, &key privileged]\nx-b: &all { privileged: *on }\n"
    container = one(f"{text}services:\n  a:\n    image: i\n    {spelling}\n")
    assert container.privileged is not None and container.privileged.value is True


def test_a_value_stands_behind_its_anchor_and_its_tag() -> None:
    text = (
        "services: { a: { image: i, cap_add: [&x !!str SYS_ADMIN], ports: [&p 0x16, !!int 2_3] } }"
    )
    container = one(text)
    values = [*container.cap_add, *container.ports]
    assert [value.value for value in values] == ["SYS_ADMIN", "22", "23"]
    spans = [value.place.span for value in values if value.place is not None]
    assert [text[span.start : span.end] for span in spans] == ["SYS_ADMIN", "0x16", "2_3"]


def test_a_merge_key_in_quotes_or_behind_an_alias_merges_nothing() -> None:
    text = "x: &m <<\nservices: { a: { image: i, %s: { privileged: true } } }"
    assert one(text % '"<<"').privileged is None
    assert one(text % "*m ").privileged is None


def test_every_value_keeps_the_file_and_the_place_where_it_stands() -> None:
    text = "services:\n  a:\n    extends: {file: b.yml, service: b}\n    cap_add: [CAP_chown]\n"
    other = "services:\n  b:\n    image: x\n    cap_add: ['net_raw']\n"
    container = one(text, {"b.yml": other})
    assert [cap.value for cap in container.cap_add] == ["NET_RAW", "CHOWN"]
    places = [cap.place for cap in container.cap_add if cap.place]
    assert [place.path for place in places] == ["/p/b.yml", PATH]
    assert other[slice(*places[0].span)] == "net_raw"
    assert text[slice(*places[1].span)] == "CAP_chown"
    assert container.cap_add[0].origin.describe() == "Compose file `b.yml`"
    assert container.cap_add[1].origin.describe() == "`cap_add`"


def test_an_anchor_is_the_place_of_what_its_aliases_bring() -> None:
    text = "x: &caps [ALL]\nservices: {a: {image: i, cap_drop: *caps}}\n"
    place = one(text).cap_drop[0].place
    assert place is not None and text[slice(*place.span)] == "ALL"
    assert place.span.start == text.index("ALL")


@pytest.mark.parametrize(
    ("written", "mount"),
    [
        ("./a:/b", ("bind", "/p/a", "/b", False)),
        ("../a/../c:/b:ro,z", ("bind", "/c", "/b", True)),
        ("~/.ssh:/b", ("bind", "~/.ssh", "/b", False)),
        ("data:/b", ("volume", "data", "/b", False)),
        ("/b", ("volume", "", "/b", False)),
        ("${UNKNOWN}/a:/b", ("bind", "${UNKNOWN}/a", "/b", False)),
        ("${UNKNOWN:-/var/run/docker.sock}:/b", ("bind", "/var/run/docker.sock", "/b", False)),
        ("{type: bind, source: a, target: /b/}", ("bind", "/p/a", "/b", False)),
        ("{type: bind, source: /a, target: /b, read_only: 'true'}", ("bind", "/a", "/b", True)),
        ("{type: volume, source: v, target: /b}", ("volume", "v", "/b", False)),
        ("{type: npipe, source: x, target: /b}", ("other", "x", "/b", False)),
    ],
)
def test_mounts(written: str, mount: tuple[str, str, str, bool]) -> None:
    text = f"services:\n  a:\n    image: i\n    volumes:\n      - {written}\n"
    (only,) = one(text).mounts
    value = only.value
    assert (value.type, value.source, value.target, value.read_only) == mount


@pytest.mark.parametrize(
    ("text", "env", "expected"),
    [
        ("$A", {"A": "1"}, "1"),
        ("${A}", {}, "${A}"),
        ("${A-x}", {"A": ""}, ""),
        ("${A:-x}", {"A": ""}, "x"),
        ("${A:?no}", {"A": "1"}, "1"),
        ("${A?no}", {}, "${A}"),
        ("${A:+x}", {"A": "1"}, "x"),
        ("${A:+x}", {"A": ""}, ""),
        ("${A:-${B:-c}}", {}, "c"),
        ("$$A $${A}", {"A": "1"}, "$A ${A}"),
        ("${}", {}, "${}"),
        ("${A", {"A": "1"}, "${A"),
        ("a$", {}, "a$"),
    ],
)
def test_variables_are_replaced_as_compose_does(
    text: str, env: dict[str, str], expected: str
) -> None:
    container = one(f"services: {{a: {{image: i, user: '{text}'}}}}", local_env=env)
    assert container.user is None or container.user.value == expected
    assert container.user is not None or expected == ""


def test_the_environment_goes_before_the_env_file() -> None:
    text = "services: {a: {image: 'i:${TAG}', user: '${WHO}'}}"
    container = one(text, {".env": "TAG=1\nWHO='me' # c\n"}, local_env={"TAG": "2"})
    assert container.image is not None and container.image.value == "i:2"
    assert container.user is not None and container.user.value == "me"


def test_nothing_of_the_env_file_is_in_what_is_said() -> None:
    secret = "hunter2hunter2"
    text = (
        "services:\n  a:\n    image: i:${P}\n    privileged: true\n    pid: host\n"
        "    environment: {DB_PASSWORD: '${P}', X: 'a${P}b'}\n    labels: ['k=${P}']\n"
        "    volumes: ['/var/run/docker.sock:/${P}']\n    build: {context: ., args: {T: '${P}'}}\n"
    )
    files = Files({"/p/.env": SourceText("/p/.env", f"P={secret}\n")})
    report = analysis.check_source(SourceText(PATH, text), variables=Variables(files=files))
    assert len(report.findings) > 3
    for finding in report.findings:
        shown = (finding.message, finding.evidence, finding.why, finding.origin)
        assert secret not in str((*shown, finding.related, finding.fixes)), finding.rule


def test_a_file_that_only_adds_is_no_whole_container() -> None:
    assert not one("services: {a: {init: true}}").is_whole()
    assert one("services: {a: {image: x}}").is_whole()
    assert one("services: {a: {build: .}}", {"Dockerfile": "FROM x"}).is_whole()


# Cycles, bombs and what lies elsewhere


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        ("services: {a: {extends: a, image: i}}", {}, "leads back to itself"),
        (
            "services: {a: {extends: {file: b.yml, service: b}, image: i}}",
            {"b.yml": "services: {b: {extends: {file: docker-compose.yml, service: a}}}"},
            "does not exist",
        ),
        ("include: [none.yml]\nservices: {a: {image: i}}", {}, "`none.yml` does not exist"),
        (
            "include: ['https://x/y.git']\nservices: {a: {image: i}}",
            {},
            "is fetched from elsewhere",
        ),
    ],
)
def test_what_cannot_be_followed_is_said(text: str, files: dict[str, str], reason: str) -> None:
    container = one(text, files)
    assert any(reason in unseen.reason for unseen in container.unseen), container.unseen


def test_files_that_include_each_other_are_read_once() -> None:
    files = {"b.yml": "include: [c.yml]\nservices: {b: {image: b}}", "c.yml": "include: [b.yml]"}
    assert list(read("include: [b.yml]\nservices: {a: {image: a}}", files)) == ["b", "a"]


VOLUME = "services: {a: {image: i, volumes: ['data:/d']}}\nvolumes: {data: {driver_opts: {%s}}}"


@pytest.mark.parametrize(("tag", "is_bind"), [("", True), ("!reset", False), ("!override", False)])
def test_a_later_file_takes_back_what_an_entry_of_a_table_says(tag: str, is_bind: bool) -> None:
    base = VOLUME % "o: bind, device: /etc"
    files = {"base.yml": base, "more.yml": f"volumes: {{data: {tag} {{}}}}"}
    [mount] = one("include: [{path: [base.yml, more.yml]}]", files).mounts
    assert ("volume-opt=device=/etc" in mount.value.options) == is_bind


@pytest.mark.parametrize(
    ("kind", "device"),
    [
        ("", "/p/data"),
        ("type: none,", "/p/data"),
        ("type: bind,", "/p/data"),
        ("type: nfs,", "./data"),
    ],
)
def test_the_device_of_a_bind_is_relative_to_the_file(kind: str, device: str) -> None:
    [mount] = one(VOLUME % f"{kind} o: bind, device: ./data").mounts
    assert mount.value.options[-1] == f"volume-opt=device={device}"


def chain(length: int) -> str:
    services = (f"  s{n}: {{extends: s{n + 1}, image: i}}\n" for n in range(length))
    return "services:\n" + "".join(services)


def merges(number: int) -> str:
    keys = "".join(f"  k{n}: 1\n" for n in range(number))
    services = "".join(f"  t{n}: {{<<: *m, image: i}}\n" for n in range(number))
    return f"x: &m\n{keys}services:\n{services}"


def lists(number: int) -> str:
    services = "".join(f"  u{n}: {{image: i, cap_add: *c}}\n" for n in range(number))
    return f"y: &c [{','.join(['A'] * number)}]\nservices:\n{services}"


@pytest.mark.parametrize("text", [chain, merges, lists])
def test_work_on_hostile_projects_is_bounded(text: Callable[[int], str]) -> None:
    assert growth(read, text) < 2.4


@pytest.mark.parametrize(
    "text",
    ["", "a", "[]", "services:", "services: a", "services: [a]", "services: {a: }", "services: {a: []}",
     "services: {a: {volumes: {}, cap_add: {a: 1}, ports: [[]], build: [], environment: 3}}",
     "services: {? [a] : {image: x}, 3: {image: 4}}", "services: {a: {privileged: {}, volumes: [{}]}}",
     "include: {}\nsecrets: []\nvolumes: {v: 3}\nservices: {a: {image: x, volumes: [v:/v]}}",
     "services: {a: &a {image: x, deploy: *a, build: *a, extends: *a, volumes: [*a]}}"],
)  # fmt: skip
def test_odd_shapes_do_no_harm(text: str) -> None:
    read(text)
    report = analysis.check_source(SourceText(PATH, text), variables=Variables(files=Files()))
    assert [skipped for skipped in report.skipped if "failed" in skipped.reason] == []


# Edits


def changed(text: str, *changes: Any) -> str | None:
    document = compose.parse(SourceText(PATH, text))
    (container,) = containers(document, Variables(files=Files()))
    text_edits = compose.edits(document, container, [change(container) for change in changes])
    return None if text_edits is None else apply_edits(text, text_edits)


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("services:\n  a:\n    privileged: true # x\n    image: i\n",
         lambda c: Remove(c.privileged), "services:\n  a:\n    image: i\n"),
        ("services:\n  a:\n    image: i\n    cap_add:\n      - A\n      - B # b\n",
         lambda c: Remove(c.cap_add[0]), "services:\n  a:\n    image: i\n    cap_add:\n      - B # b\n"),
        ("services:\n  a:\n    image: i\n    cap_add: [A]\n",
         lambda c: Remove(c.cap_add[0]), "services:\n  a:\n    image: i\n"),
        ("services: {a: {image: i, cap_add: [A, B]}}\n",
         lambda c: Remove(c.cap_add[1]), "services: {a: {image: i, cap_add: [A]}}\n"),
        ("services:\n  a:\n    image: i\n    ports:\n      - \"80:80\" # web\n",
         lambda c: Replace(c.ports[0], "127.0.0.1:80:80"),
         "services:\n  a:\n    image: i\n    ports:\n      - \"127.0.0.1:80:80\" # web\n"),
        ("services:\n  a:\n    image: i # c\n",
         lambda c: Add("security_opt", "no-new-privileges=true"),
         "services:\n  a:\n    image: i # c\n    security_opt:\n      - no-new-privileges=true\n"),
        ("services:\r\n  a:\r\n    image: i\r\n    cap_drop:\r\n    - X",
         lambda c: Add("cap_drop", "ALL"),
         "services:\r\n  a:\r\n    image: i\r\n    cap_drop:\r\n    - X\r\n    - ALL"),
        ("services: {a: {privileged: true}}\n", lambda c: Remove(c.privileged), None),
        ("x: &b {image: i}\nservices: {a: *b}\n", lambda c: Add("cap_drop", "ALL"), None),
        ("services: {a: {image: i}}\n", lambda c: Add("ulimits", "x"), None),
    ],
)  # fmt: skip
def test_changes_become_edits(before: str, change: Any, after: str | None) -> None:
    assert changed(before, change) == after


# The files of `env_file`


def test_the_last_environment_file_wins_and_environment_over_them() -> None:
    text = "services: {app: {image: i, env_file: [a.env, {path: b.env}], environment: {A: own}}}"
    app = one(text, {"a.env": "A=a\nB=a # x\nexport C='c d'\n", "b.env": "B=b\n"})
    assert {pair.value.name: pair.value.value for pair in app.env} == {
        "A": "own",
        "B": "b",
        "C": "c d",
    }


def test_a_variable_of_a_file_stands_at_its_line_and_is_never_shown() -> None:
    text = "services: {app: {image: i, env_file: conf/a.env}}"
    app = one(text, {"conf/a.env": "# b\nTOKEN=sk_live_4eC39HqLyjWDarjtT1zdp7dc\n"})
    [token] = app.env
    assert token.place is not None
    assert (token.place.path, token.place.span) == ("/p/conf/a.env", (4, 9))
    assert token.written == "${TOKEN}"
    assert token.origin.describe() == "environment file `conf/a.env`"


def test_an_environment_file_outside_of_the_project_is_said_not_to_be_judged() -> None:
    def load(path: str, beside: str) -> SourceText:
        if path != "/x/y":
            raise MissingFileError("check the path")
        raise UnreadableError("lies outside of the project", "check it where it belongs to")

    document = compose.parse(SourceText("/p/compose.yaml", "services: {a: {env_file: /x/y}}"))
    [app] = containers(document, Variables(files=Files(load=load)))
    [unseen] = app.unseen
    assert unseen.reason == "`/x/y` lies outside of the project: its variables are not judged"


def test_an_environment_file_that_is_not_there_is_none() -> None:
    app = one("services: {app: {image: i, env_file: gone.env}}")
    assert (app.env, app.unseen) == ((), ())
