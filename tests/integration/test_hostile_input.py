"""What a repository may hold to stall a check: each file ends in a word about it, in bounded time.

The limits are the kernel's, of processor time and of address space, so that a busy machine does
not decide; a sound file beside the hostile one must be checked all the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

# The budget is one second and 200 MB. A busy machine counts several times as much time, and what does not end needs more
# than any.
SECONDS = 20
MEMORY = 400 * 2**20

SOUND = '{ "image": "debian:12", "privileged": true }'
BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
)
MERGES = "m0: &m0 {x: 1}\n" + "".join(
    f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}, *m{n - 1}], k{n}: 1}}\n" for n in range(1, 60)
)


class Case(NamedTuple):
    """A hostile file, and what is said of it: a part of a reason, or the id of a rule."""

    path: str
    text: str | Callable[[], str]
    message: str
    exit_code: int


def filled(unit: str, size: int, before: str = "", after: str = "") -> str:
    return before + unit * ((size - len(before) - len(after)) // len(unit)) + after


def numbered(unit: str, size: int, before: str = "", after: str = "") -> str:
    parts, length = [before], len(before) + len(after)
    number = 0
    while length < size - len(unit) - 8:
        parts.append(unit.replace("@", str(number)))
        length += len(parts[-1])
        number += 1
    return "".join(parts) + after


BIG = 1024 * 1024
SMALL = 256 * 1024
DEV = ".devcontainer/python/devcontainer.json"
CASES = {
    "50 MB": Case(DEV, lambda: " " * 50_000_000, "is larger than 4 MiB", 2),
    "large Compose file": Case("compose.yaml", lambda: " " * 5_000_000, "is larger than 4 MiB", 2),
    "blanks in a comment that allows": Case(
        DEV,
        lambda: filled(" ", SMALL, "// sandboxd: allow ", "x\n" + SOUND),
        "privileged-container",
        1,
    ),
    "deep arrays": Case(DEV, lambda: filled("[", BIG), "json-syntax-error", 1),
    "deep objects": Case(DEV, lambda: filled('{"a":', 500_000), "json-syntax-error", 1),
    "deep YAML flow": Case("compose.yaml", lambda: "[" * 100_000, "yaml-syntax-error", 1),
    "deep YAML blocks": Case("compose.yaml", lambda: "- " * 100_000, "is not read as a whole", 1),
    "deep TOML": Case("sandboxd.toml", lambda: "a=" + "[" * 60_000, "config-syntax-error", 2),
    "deep AppArmor": Case("apparmor/x", lambda: "profile a {\n" * 10_000, "more errors", 1),
    "bomb of aliases": Case(
        "compose.yaml",
        BOMB + "services:\n  a: {image: x, volumes: *a39, ports: *a39, environment: *a39, "
        "command: *a39, cap_add: *a39, devices: *a39, env_file: *a39, privileged: true}\n"
        "include: *a39\n",
        "privileged-container",
        1,
    ),
    "bomb of merges": Case(
        "compose.yaml",
        MERGES + "services:\n  a: {<<: *m59, image: x, privileged: true}\n",
        "privileged-container",
        1,
    ),
    "one table merged into many": Case(
        "compose.yaml",
        lambda: (
            "x-b: &b\n"
            + numbered("  k@: 1\n", 50_000)
            + numbered("  s@: {<<: *b, image: x}\n", 200_000, "services:\n")
        ),
        "holds more than",
        1,
    ),
    "cyclic anchors": Case(
        "compose.yaml",
        "services: &s\n  a: &a {image: x, privileged: true, volumes: &v [*v, *a, *s], "
        "environment: *a, <<: *a, extends: *a, build: *a, ports: *v, depends_on: *s}\n",
        "privileged-container",
        1,
    ),
    "cycle of extends": Case(
        "compose.yaml",
        "services:\n  a: {extends: b, privileged: true}\n  b: {extends: a}\n",
        "leads back to itself",
        1,
    ),
    "long chain of extends": Case(
        "compose.yaml",
        lambda: numbered("  s@: {extends: {service: s0@}}\n", SMALL, "services:\n"),
        "the rest is not read",
        1,
    ),
    "file that includes itself": Case(
        "compose.yaml",
        "include: [compose.yaml, ./compose.yaml]\nservices: {a: {image: x, privileged: true}}\n",
        "privileged-container",
        1,
    ),
    "thousands of includes": Case(
        "compose.yaml",
        lambda: numbered("  - i@.yaml\n", SMALL, "include:\n"),
        "names more than 50 files",
        1,
    ),
    "thousands of Compose files": Case(
        DEV,
        lambda: numbered('"c@.yaml",', BIG, '{"service":"a","dockerComposeFile":[', '"x"]}'),
        "names more than 50 files",
        1,
    ),
    "include that leaves the project": Case(
        "compose.yaml",
        "include: [../../../../etc/passwd, /etc/shadow]\nservices: {a: {privileged: true}}\n",
        "lies outside of the project",
        1,
    ),
    "NUL": Case(DEV, '{"image": "a\0b", "privileged": true}', "json-syntax-error", 1),
    "NUL in YAML": Case("compose.yaml", "services: {a: {image: \0}}\n", "U+0000", 1),
    "lone surrogates": Case(DEV, r'{"image":"\ud800","mounts":["\udfff"]}', "", 1),
    "mixed line ends and tabs": Case(
        DEV, '{\r\t"privileged":\r\n\t\ttrue,\n\r "image": "x" }', "privileged-container", 1
    ),
    "tabs in YAML": Case("compose.yaml", "services:\n\ta:\n\t\timage: x\n", "yaml-syntax-error", 1),
    "one flag a hundred thousand times": Case(
        DEV,
        lambda: filled('"-v","/:/x",', BIG, '{"runArgs":[', '""]}'),
        "`host-root-mounted` has more than 200 findings",
        1,
    ),
    "flags that docker does not know": Case(
        DEV,
        lambda: numbered('"--foo@",', BIG, '{"runArgs":[', '""]}'),
        "more parts that could not be judged",
        1,
    ),
    "one long bundle of flags": Case(
        DEV, lambda: '{"privileged":true,"runArgs":["-' + "i" * 900_000 + '"]}', "privileged", 1
    ),
    "variables that do not end": Case(
        DEV,
        lambda: '{"privileged":true,"containerEnv":{"A":"' + "${localEnv:X" * 80_000 + '"}}',
        "privileged-container",
        1,
    ),
    "thousands of allowances": Case(
        DEV,
        lambda: filled("// sandboxd: allow docker-socket-mounted -- x\n", BIG),
        "has more than 500 allowances",
        1,
    ),
    "thousands of services": Case(
        "compose.yaml",
        lambda: numbered("  s@: {image: x, privileged: true}\n", SMALL, "services:\n"),
        "has more than 500 services",
        1,
    ),
    "one name thousands of times": Case(
        "compose.yaml",
        lambda: filled("a: {image: x, privileged: true}, ", 4 * BIG, "services: {", "}\n"),
        "duplicate-key",
        1,
    ),
    "thousands of options in YAML": Case(
        "compose.yaml",
        lambda: numbered(
            "      - seccomp:x@\n", SMALL, "services:\n  a:\n    image: x\n    security_opt:\n"
        ),
        "`security-opt-conflict` has more than 200",
        1,
    ),
    "values that double": Case(
        "Dockerfile",
        lambda: filled("ARG A=$A$A\n", 200_000, "ARG A=xx\n", "FROM $A\nUSER root\n"),
        "",
        1,
    ),
    "here-documents without an end": Case(
        "Dockerfile", lambda: filled("RUN <<E\n", SMALL, "FROM x\n"), "is not read as a whole", 1
    ),
    "pipes without a shell": Case(
        "Dockerfile", lambda: filled("curl x | ", SMALL, "FROM x\nRUN "), "", 1
    ),
    "thousands of commands": Case(
        "run.sh",
        lambda: filled("docker run --privileged -v /:/x a\n", SMALL),
        "describes more than 500 things",
        1,
    ),
    "thousands of shell variables": Case(
        "run.sh",
        lambda: numbered("A@=$A@\n", 150_000) + filled("docker run $A1 $B x\n", 100_000),
        "describes more than 500 things",
        1,
    ),
    "thousands of profiles": Case(
        "apparmor/x",
        lambda: numbered("profile x@ { }\n", 128 * 1024),
        "describes more than 500 things",
        1,
    ),
    "quotes in AppArmor": Case(
        "apparmor/x", lambda: "profile x {\n" + '"' * 100_000, "apparmor-syntax-error", 1
    ),
    "thousands of unknown keys": Case(
        "sandboxd.toml",
        lambda: numbered("r@ = 'off'\n", 60_000, "[rules]\n"),
        "has more than 200 findings",
        2,
    ),
}


def limited(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit code and output of a check that the kernel ends when it takes too much."""
    limit = f'ulimit -t {SECONDS} && ulimit -v {MEMORY // 1024} && exec "$@"'
    check = [sys.executable, "-m", "sandboxd", "check", "--format", "json", *arguments]
    done = subprocess.run(
        ["sh", "-c", limit, "sh", *check], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode in (0, 1, 2), (done.returncode, done.stderr[-500:])
    assert b"Traceback" not in done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    for skipped in data["skipped"]:
        assert "failed" not in skipped["reason"], skipped
    return done.returncode, data


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Holds a file with a weak setting that must be found whatever stands beside it."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".devcontainer").mkdir()
    (folder / ".devcontainer/devcontainer.json").write_text(SOUND)
    return folder


def messages(data: dict[str, Any]) -> str:
    reasons = [skipped["reason"] for skipped in data["skipped"]]
    findings = [f"{finding['rule']}: {finding['message']}" for finding in data["findings"]]
    return "\n".join(reasons + findings)


def sound_file_was_checked(data: dict[str, Any]) -> bool:
    return any(
        finding["rule"] == "privileged-container"
        and finding["path"] == ".devcontainer/devcontainer.json"
        for finding in data["findings"]
    )


@pytest.mark.parametrize("name", CASES)
def test_hostile_file(project: Path, name: str) -> None:
    case = CASES[name]
    path = project / case.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((case.text if isinstance(case.text, str) else case.text()).encode())
    code, data = limited(project, ".devcontainer/devcontainer.json", case.path)
    assert code == case.exit_code
    assert case.message in messages(data)
    assert sound_file_was_checked(data)
    assert len(json.dumps(data)) < 3_000_000


def test_a_real_config_of_a_megabyte_is_checked(project: Path) -> None:
    extensions = numbered('        "publisher.extension@", // why\n', 1_000_000)
    text = (
        '{\n  "image": "debian:12",\n  "customizations": { "vscode": { "extensions": [\n'
        + extensions
        + '  ] } },\n  "runArgs": ["--network=host"]\n}\n'
    )
    path = project / DEV
    path.parent.mkdir()
    path.write_text(text)
    code, data = limited(project, DEV)
    assert code == 1
    assert data["skipped"] == []
    (finding,) = (f for f in data["findings"] if f["rule"] == "host-network")
    assert finding["line"] == text[: text.index("--network=host")].count("\n") + 1


def test_a_walk_over_loops_pipes_and_closed_files(project: Path) -> None:
    (project / "loop").symlink_to(project)
    (project / ".devcontainer.json").symlink_to(project / ".devcontainer.json")
    os.mkfifo(project / "compose.yaml")
    closed = project / "Dockerfile"
    closed.write_text("FROM x\n")
    closed.chmod(0)
    (project / "sub").mkdir()
    (project / "sub" / "up").symlink_to("..")
    code, data = limited(project, ".")
    assert code == 1
    assert sound_file_was_checked(data)
    reasons = {skipped["path"]: skipped["reason"] for skipped in data["skipped"]}
    assert "is a loop of symbolic links" in reasons[".devcontainer.json"]
    assert "is a named pipe" in reasons["compose.yaml"]
    if os.geteuid() != 0:
        assert "permission denied" in reasons["Dockerfile"]


def test_a_deep_tree_of_folders(project: Path) -> None:
    folder = project
    for _ in range(60):
        folder = folder / "d"
    folder.mkdir(parents=True)
    code, data = limited(project, ".")
    assert code == 1
    assert sound_file_was_checked(data)
    assert "is nested too deep to be searched" in messages(data)
