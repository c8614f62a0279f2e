"""`sandboxd check` as a process: output, exit codes, bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxd.cli.commands import check as check_command
from tests.integration.checking import FINE, HARDENED, HINTS, WEAK, as_json, check
from tests.patience import PATIENCE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".devcontainer").mkdir()
    return tmp_path


@pytest.fixture
def config(project: Path) -> Path:
    return project / ".devcontainer" / "devcontainer.json"


def test_a_weak_file(project: Path, config: Path) -> None:
    config.write_text(WEAK)
    done = check(project)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "--privileged" in line)
    assert lines[0].startswith("error[privileged-container]: ")
    assert lines[1] == " --> .devcontainer/devcontainer.json:4:26"
    marked = lines[at][lines[at + 1].index("^") : lines[at + 1].rindex("^") + 1]
    assert marked == "--privileged"
    assert "1 error in 1 file" in lines


def test_a_fine_file(project: Path, config: Path) -> None:
    config.write_text(FINE)
    done = check(project)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"no error or warning in 1 file; {HINTS}\n",
        "",
    )


def test_json_has_every_field_of_the_contract(project: Path, config: Path) -> None:
    config.write_text(
        WEAK.replace('"image"', '"initializeCommand": "ls", // sandboxd: allow '
                     'initialize-command -- harmless\n  "image"')
    )  # fmt: skip
    data = as_json(check(project, "--format", "json"))
    assert data == {
        "version": 1,
        "findings": [
            {
                "rule": "initialize-command",
                "severity": "warning",
                "path": ".devcontainer/devcontainer.json",
                "line": 3,
                "column": 25,
                "end_line": 3,
                "end_column": 27,
                "message": "`ls` runs on the host",
                "evidence": "ls",
                "origin": "`initializeCommand`",
                "related": [],
                "fix": None,
                "suppressed": {"reason": "harmless", "by": "comment"},
            },
            {
                "rule": "privileged-container",
                "severity": "error",
                "path": ".devcontainer/devcontainer.json",
                "line": 5,
                "column": 26,
                "end_line": 5,
                "end_column": 38,
                "message": data["findings"][1]["message"],
                "evidence": "privileged",
                "origin": "`runArgs`",
                "related": [],
                "fix": {"title": "run the container without `privileged`", "safe": False},
                "suppressed": None,
            },
        ],
        "skipped": [],
        "files": 1,
    }


def test_columns_count_code_points(project: Path, config: Path) -> None:
    config.write_text('{ "name": "🐋 é", "privileged": true }', encoding="utf-8")
    (finding,) = as_json(check(project, "--format", "json"))["findings"]
    assert (finding["column"], finding["end_column"]) == (32, 36)


def test_a_path_above_the_working_directory_is_absolute(project: Path, config: Path) -> None:
    config.write_text(WEAK)
    (project / "src").mkdir()
    data = as_json(check(project / "src", "--format", "json", str(config)))
    assert data["findings"][0]["path"] == str(config)


def test_hints_only_when_asked_for(project: Path, config: Path) -> None:
    config.write_text(FINE)
    assert "hint[" not in check(project).stdout
    pedantic = check(project, "--pedantic")
    assert pedantic.returncode == 0
    assert "hint[cap-drop-missing]" in pedantic.stdout
    strict = check(project, "--fail-on", "hint")
    assert strict.returncode == 1
    assert "hint[cap-drop-missing]" in strict.stdout


def test_fail_on_error_lets_a_warning_pass(project: Path, config: Path) -> None:
    config.write_text('{ "image": "x", "initializeCommand": "ls" }')
    assert check(project).returncode == 1
    lenient = check(project, "--fail-on=error")
    assert lenient.returncode == 0
    assert "warning[initialize-command]" in lenient.stdout


# Bad input


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


def _make_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


BAD = {
    "missing": (lambda path: None, "does not exist"),
    "pipe": (_make_fifo, "is a named pipe, not a regular file"),
    "large": (_make_large, "is larger than 4 MiB, too large for a config file"),
    "binary": (lambda path: path.write_bytes(b"\x7fELF\x80\x81"), "is not UTF-8 text"),
    "utf-16": (
        lambda path: path.write_text("{}", encoding="utf-16"),
        "is UTF-16 or UTF-32 text, not UTF-8",
    ),
    "loop": (lambda path: path.symlink_to(path), "is a loop of symbolic links"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_said_and_the_rest_is_checked(
    project: Path, config: Path, name: str
) -> None:
    make, reason = BAD[name]
    bad = project / "devcontainer.json"
    make(bad)
    config.write_text(WEAK)
    done = check(project, "devcontainer.json", str(config))
    assert done.returncode == 2
    assert f"error: `devcontainer.json` {reason}" in done.stderr
    assert "\nhint: " in done.stderr
    assert "error[privileged-container]" in done.stdout
    skipped = as_json(check(project, "--format=json", "devcontainer.json"))["skipped"]
    assert [s["path"] for s in skipped] == ["devcontainer.json"]
    assert reason in skipped[0]["reason"]


def test_a_device_and_a_file_of_another_kind(project: Path) -> None:
    (project / "package.json").write_text("{}")
    done = check(project, "/dev/null", "package.json")
    assert done.returncode == 2
    assert "`/dev/null` is a character device, not a regular file" in done.stderr
    assert "`package.json` is no kind of file that sandboxd checks" in done.stderr
    assert done.stdout == ""


def test_a_folder_without_configs_is_not_clean(project: Path) -> None:
    done = check(project)
    assert done.returncode == 2
    assert "holds no file that sandboxd checks" in done.stderr
    assert "hint: " in done.stderr
    assert done.stdout == ""


def test_files_of_a_name_that_is_not_only_ours_are_passed_over(project: Path) -> None:
    for place, text in (
        ("apparmor/LICENSE", "The licence, {of} this,\n"),
        ("pkg/dockerfile.go", "package pkg\n"),
        ("pkg/dockerfile_builder.go", "package pkg\n"),
    ):
        (project / place).parent.mkdir(exist_ok=True)
        (project / place).write_text(text)
    done = check(project)
    assert done.returncode == 2 and "holds no file that sandboxd checks" in done.stderr
    assert "LICENSE" not in done.stderr + done.stdout
    (project / "pkg/dockerfile.go").write_text("FROM golang:1\nUSER dev\n")
    done = check(project)
    assert "in 1 file; " in done.stdout
    assert check(project, "apparmor/LICENSE").returncode == 2


def test_folders_are_searched_wherever_tools_look(project: Path, config: Path) -> None:
    config.write_text(FINE)
    for place in (
        ".devcontainer.json",
        ".devcontainer/python/devcontainer.json",
        "services/api/.devcontainer/devcontainer.json",
        ".devcontainer/python/deeper/devcontainer.json",
        "templates/go/devcontainer.json",
        "devcontainer.json",
        # not looked at
        "docs/devcontainer.json.bak",
        "node_modules/x/.devcontainer.json",
        ".git/.devcontainer.json",
        ".venv/.devcontainer.json",
    ):
        path = project / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FINE)
    assert check(project).stdout == f"no error or warning in 7 files; {HINTS}\n"


def test_a_link_to_a_config_is_followed_within_the_project(project: Path, config: Path) -> None:
    config.write_text(FINE)
    (project / "elsewhere.txt").write_text(WEAK)
    (project / ".devcontainer.json").symlink_to("elsewhere.txt")
    done = check(project)
    assert done.returncode == 1
    assert "--> .devcontainer.json:" in done.stdout
    assert "error[privileged-container]" in done.stdout


def test_a_link_in_the_project_that_leads_to_secrets(
    project: Path, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    (home / ".ssh").mkdir()
    (project / "data").symlink_to(home / ".ssh")
    config.write_text(
        '{ "image": "x", "mounts": ["source=${localWorkspaceFolder}/data,target=/d,type=bind"] }'
    )
    data = as_json(check(project, "--format=json", HOME=str(home)))
    assert [(f["rule"], f["evidence"]) for f in data["findings"]] == [
        ("bind-source-escapes-workspace", "~/.ssh"),
        ("credentials-mounted", "~/.ssh"),
    ]


BROKEN = {
    "unterminated": ('{ "privileged": true, "name": "x }\n', "this string is not closed"),
    "duplicate": ('{ "privileged": false, "privileged": true }', "duplicate key `privileged`"),
    "no comma": ('{ "privileged": true "name": "x" }', "expected a comma"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_text_is_a_finding_and_the_rest_is_judged(
    project: Path, config: Path, name: str
) -> None:
    text, message = BROKEN[name]
    config.write_text(text)
    done = check(project)
    assert done.returncode == 1
    assert message in done.stdout
    assert "error[privileged-container]" in done.stdout


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_nesting_of_100_000_levels(project: Path, config: Path, opening: str) -> None:
    config.write_text(opening * 100_000)
    done = check(project)
    assert done.returncode == 1
    assert "error[json-syntax-error]" in done.stdout
    assert len(done.stdout) < 20_000


def test_byte_order_mark_and_line_ends_are_kept_by_a_fix(project: Path, config: Path) -> None:
    config.write_bytes(b"\xef\xbb\xbf" + WEAK.replace("\n", "\r\n").encode())
    assert "devcontainer.json:4:26" in check(project).stdout
    check(project, "--fix", "--unsafe")
    assert config.read_bytes() == b"\xef\xbb\xbf" + HARDENED.replace("\n", "\r\n").encode()


def test_text_that_would_drive_a_terminal_is_made_visible(project: Path, config: Path) -> None:
    config.write_text('{ "initializeCommand": "ls \u202e\u001b[2Jx" }'.replace("\u001b", "\\u001b"))
    done = check(project)
    assert "\u202e" not in done.stdout
    assert "\x1b" not in done.stdout


# The project's own rules


def test_sandboxd_toml_sets_levels_and_allows(project: Path, config: Path) -> None:
    config.write_text('{ "image": "x", "privileged": true, "initializeCommand": "ls" }')
    (project / "sandboxd.toml").write_text(
        '[rules]\ninitialize-command = "off"\n\n'
        '[[allow]]\nrule = "privileged-container"\nreason = "until the move to gVisor"\n'
    )
    done = check(project)
    assert done.returncode == 0
    assert (
        done.stdout
        == f"no error or warning in 2 files (1 allowed with a reason: `--no-allow` shows it); {HINTS}\n"
    )


def test_an_allowance_ends(project: Path, config: Path) -> None:
    config.write_text('{ "image": "x", "privileged": true }')
    (project / "sandboxd.toml").write_text(
        '[[allow]]\nrule = "privileged-container"\nreason = "until then"\nexpires = "2020-01-01"\n'
    )
    assert check(project).returncode == 1


def test_a_wrong_sandboxd_toml_is_shown_and_not_applied(project: Path, config: Path) -> None:
    config.write_text('{ "image": "x", "initializeCommand": "ls" }')
    (project / "sandboxd.toml").write_text('profile = 3\n[rules]\ninitialize-command = "off"\n')
    done = check(project)
    assert done.returncode == 2
    assert "error[config-wrong-type]" in done.stdout
    assert "sandboxd.toml:1:11" in done.stdout
    assert "warning[initialize-command]" in done.stdout
    assert "has mistakes, so its rules and allowances are not applied" in done.stderr


def test_what_is_not_read_is_said(project: Path, config: Path) -> None:
    config.write_text(
        '{ "dockerComposeFile": "c.yaml", "service": "app", "features": { "ghcr.io/x/go:1": {} } }'
    )
    done = check(project, "--list-unchecked")
    assert done.returncode == 0
    assert "not checked: .devcontainer/devcontainer.json: `c.yaml` does not exist" in done.stdout
    assert "what its Features add is not read: `ghcr.io/x/go:1`" in done.stdout


def test_output_that_the_terminal_cannot_encode(project: Path, config: Path) -> None:
    config.write_text('{ "initializeCommand": "écho 🐋" }', encoding="utf-8")
    done = check(project, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert "\\xe9cho" in done.stdout


def test_the_reader_may_go_away(project: Path, config: Path) -> None:
    config.write_text('{ "mounts": [' + ",".join(['"source=/,target=/x,type=bind"'] * 2000) + "] }")
    process = subprocess.Popen(
        [sys.executable, "-m", "sandboxd", "check"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(PATIENCE) in (0, 1)


@pytest.mark.parametrize("form", check_command.formats())
def test_every_form_of_output_is_one(project: Path, config: Path, form: str) -> None:
    config.write_text(WEAK)
    done = check(project, "--format", form)
    assert done.returncode == 1 and "privileged-container" in done.stdout, done.stderr


def test_explain_and_rules(project: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sandboxd", *arguments], capture_output=True, text=True
        )

    page = run("explain", "docker-socket-mounted")
    assert page.returncode == 0
    assert "## Why it is bad" in page.stdout
    wrong = run("explain", "docker-socket")
    assert wrong.returncode == 2
    assert "hint: did you mean `docker-socket-mounted`?" in wrong.stderr
    listed = json.loads(run("rules", "--format", "json").stdout)
    assert {"id", "severity", "summary", "why", "since"} == set(listed["rules"][0])
    names = [rule["id"] for rule in listed["rules"]]
    assert [line.split()[0] for line in run("rules").stdout.splitlines()] == names
