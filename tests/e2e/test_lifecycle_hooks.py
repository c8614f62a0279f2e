"""Lifecycle hooks of a real sandbox, with and without a daemon: when they run, how they end, what is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.client import Engine
from sandboxd.ipc import client
from sandboxd.model.labels import PROJECT
from tests.e2e import sandboxes
from tests.e2e.rich_image import Rich
from tests.patience import PATIENCE, eventually

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

ROOT = Path(__file__).resolve().parents[2]
LOG = "hooks.log"


@pytest.fixture(params=[False, True], ids=["by itself", "by a daemon"])
def helped(request: pytest.FixtureRequest, own_home: Path, shared_cache: None, engine: str) -> Any:
    if not request.param:
        yield
        return
    environ = {**os.environ, "DOCKER_HOST": engine, "PYTHONPATH": str(ROOT)}
    connection = client.connect(environ, str(own_home), start=True, patience=PATIENCE)
    assert connection is not None
    with connection:
        yield


@pytest.fixture
def folder(engine: str, api: Engine, project: Path) -> Iterator[Path]:
    yield project
    sandboxes.run(engine, project, "down", "--discard")
    assert api.containers(f"{PROJECT}={project}") == []


def write(folder: Path, **config: Any) -> None:
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))


def all_hooks() -> dict[str, Any]:
    """Each hook of a creation writes a line; that of a start and of an attach, too."""
    return {
        "onCreateCommand": f"echo on >> {LOG}",
        "updateContentCommand": ["sh", "-c", f"echo update $0 >> {LOG}", "again"],
        "postCreateCommand": {
            "a": f"sleep 0.5; echo parallel >> {LOG}",
            "b": f"echo parallel >> {LOG}",
        },
        "postStartCommand": f"echo start >> {LOG}",
        "postAttachCommand": f"echo attach >> {LOG}; echo err >&2; echo shown $WHERE",
        "remoteEnv": {"WHERE": "${containerWorkspaceFolder}"},
    }


ONCE = ["on", "update again", "parallel", "parallel"]


def lines(folder: Path) -> list[str]:
    return (folder / LOG).read_text().splitlines()


def hooks_shown(engine: str, folder: Path) -> list[str] | None:
    """What `status` says of them; None where it does not know the project yet."""
    shown = json.loads(sandboxes.run(engine, folder, "status", "--json").stdout)["projects"]
    return shown[0]["hooks"] if shown else None


def until_shown(engine: str, folder: Path, *lines: str) -> None:
    """Wait until `status` says that of the hooks: a daemon answers by what it has heard from the engine so far."""
    eventually(lambda: hooks_shown(engine, folder) == [*lines], lambda: hooks_shown(engine, folder))


def up(engine: str, folder: Path, *words: str) -> Any:
    done = sandboxes.run(engine, folder, "up", *words)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.usefixtures("helped")
def test_each_runs_at_its_time(engine: str, api: Engine, folder: Path, runtime: str) -> None:
    write(folder, **all_hooks())
    first = up(engine, folder)
    assert lines(folder) == [*ONCE, "start", "attach"]
    assert "postAttachCommand | err" in first.stderr
    assert f"postAttachCommand | shown /workspaces/{folder.name}" in first.stderr
    up(engine, folder)
    assert lines(folder)[6:] == ["attach"]
    api.stop(api.containers(f"{PROJECT}={folder}")[0].id, 1)
    again = up(engine, folder)
    assert "restarted" in again.stderr
    # gVisor's root file system goes with a stop, and what hooks put there with it.
    created = ONCE if runtime == "gvisor" else []
    assert lines(folder)[7:] == [*created, "start", "attach"]
    up(engine, folder, "--no-hooks")
    assert lines(folder)[7:] == [*created, "start", "attach"]


@pytest.mark.usefixtures("helped")
def test_one_that_fails_ends_the_run_and_runs_again(engine: str, folder: Path) -> None:
    hooks = all_hooks()
    hooks["updateContentCommand"] = {
        "good": f"echo good >> {LOG}",
        "bad": f"echo bad >> {LOG}; [ -e mended ] || exit 7",
    }
    write(folder, **hooks)
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 1
    message = (
        "error: `updateContentCommand` of devcontainer.json (`bad`) ended with exit code 7; not run: "
        "`postCreateCommand`, `postStartCommand`, `postAttachCommand`\nhint: the sandbox runs"
    )
    assert message in done.stderr
    assert done.stdout.startswith("sandboxd-")
    assert sorted(lines(folder)) == ["bad", "good", "on"]
    until_shown(
        engine,
        folder,
        "`updateContentCommand` of devcontainer.json (`bad`) ended with exit code 7",
        "not run: `postCreateCommand`, `postStartCommand`, `postAttachCommand`",
    )
    assert sandboxes.run(engine, folder, "exec", "-n", "touch", "mended").returncode == 0
    up(engine, folder)
    assert sorted(lines(folder)[3:5]) == ["bad", "good"]
    assert lines(folder)[5:] == ["parallel", "parallel", "start", "attach"]
    until_shown(engine, folder)


@pytest.mark.usefixtures("helped")
def test_one_that_fails_for_a_refused_name_is_told_with_the_way_to_allow_it(
    engine: str, folder: Path
) -> None:
    write(folder, postCreateCommand="wget -T 60 -q -O - http://refused.example/; exit 3")
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 1
    assert "ended with exit code 3; the network refused `refused.example`" in done.stderr
    assert "hint: `sandboxd egress allow refused.example` lets it through" in done.stderr
    why = sandboxes.run(engine, folder, "why")
    assert "blocked     network: `refused.example` was asked for: no rule names it" in why.stdout
    assert "`postCreateCommand` ended with 3" in why.stderr


@pytest.mark.usefixtures("helped")
def test_an_interrupt_ends_what_runs_and_leaves_the_sandbox(
    engine: str, api: Engine, folder: Path
) -> None:
    write(folder, onCreateCommand=f"echo on >> {LOG}; sleep 987 & sleep 987; echo no >> {LOG}")
    process = subprocess.Popen(
        sandboxes.command(engine, folder, "up"),
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    # The shell makes the file before it writes.
    eventually(lambda: (folder / LOG).exists() and lines(folder) == ["on"])
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=5 * PATIENCE)
    assert process.returncode == 130, stderr
    assert [c.state for c in api.containers(f"{PROJECT}={folder}")] == ["running"]
    processes = "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done"

    def inside() -> str:
        return str(sandboxes.run(engine, folder, "exec", "-n", "sh", "-c", processes).stdout)

    # They were killed, and are gone when the kernel has come to them.
    eventually(lambda: "sleep 3600" in (seen := inside()) and "sleep 987" not in seen, inside)
    until_shown(engine, folder, "`onCreateCommand` of devcontainer.json was interrupted")
    write(folder, onCreateCommand=f"echo mended >> {LOG}")
    up(engine, folder)
    assert lines(folder) == ["on", "mended"]


def test_what_nobody_waits_for_is_left_to_the_next_time(engine: str, folder: Path) -> None:
    write(folder, **all_hooks(), waitFor="onCreateCommand")
    left = up(engine, folder, "--until-ready")
    assert "ready; left to the next `sandboxd up`: updateContentCommand, " in left.stderr
    assert lines(folder) == ["on"]
    up(engine, folder)
    assert lines(folder) == [*ONCE, "start", "attach"]


def test_two_at_once_run_them_once(engine: str, folder: Path) -> None:
    write(folder, onCreateCommand=f"sleep 1; echo on >> {LOG}")
    both = [
        subprocess.Popen(
            sandboxes.command(engine, folder, "up"),
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=5 * PATIENCE)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert lines(folder) == ["on"]


def test_commands_have_the_environment_and_the_folder_of_the_config(
    engine: str, folder: Path
) -> None:
    (folder / "app").mkdir()
    write(
        folder,
        workspaceFolder="/workspaces/${localWorkspaceFolderBasename}/app",
        containerEnv={"A": "container", "B": "container"},
        remoteEnv={"B": "remote", "C": "${containerEnv:A}-${containerWorkspaceFolder}"},
        onCreateCommand="pwd; echo $A $B $C",
    )
    done = up(engine, folder)
    inside = f"/workspaces/{folder.name}/app"
    words = f"container remote container-{inside}"
    assert f"onCreateCommand | {inside}\nonCreateCommand | {words}\n" in done.stderr
    exec_ = ("exec", "-n", "sh", "-c", "pwd; echo $A $B $C")
    assert sandboxes.run(engine, folder, *exec_).stdout == f"{inside}\n{words}\n"
    other = ("exec", "-n", "-w", "/tmp", "-e", "B=typed", "sh", "-c", "pwd; echo $B")
    assert sandboxes.run(engine, folder, *other).stdout == "/tmp\ntyped\n"
    write(folder, containerEnv={"A": "container", "B": "container"})
    up(engine, folder)
    again = sandboxes.run(engine, folder, *exec_).stdout
    assert again == f"/workspaces/{folder.name}\ncontainer container\n"


def test_commands_have_the_environment_of_the_users_shell_as_hooks_left_it(
    engine: str, folder: Path
) -> None:
    def inside(*words: str) -> str:
        return sandboxes.run(engine, folder, "exec", "-n", *words).stdout.strip()

    profile = "/tmp/home/.profile"
    write(
        folder,
        containerEnv={"HOME": "/tmp/home"},
        remoteEnv={"OF_BOTH": "config"},
        postCreateCommand=f"mkdir -p $HOME; echo 'export OF_SHELL=yes OF_BOTH=shell' > {profile}",
    )
    up(engine, folder)
    assert inside("sh", "-c", "echo $OF_SHELL $OF_BOTH") == "yes config"
    assert inside("-u", "0", "sh", "-c", "echo $OF_SHELL $OF_BOTH") == "config", "another's shell"
    # A start that changes nothing asks no shell again.
    inside("sh", "-c", f"echo 'export OF_SHELL=later' > {profile}")
    up(engine, folder)
    assert inside("sh", "-c", "echo $OF_SHELL") == "yes"
    sandboxes.run(engine, folder, "down", "--discard")
    write(folder, userEnvProbe="none", postCreateCommand="true")
    up(engine, folder)
    assert inside("sh", "-c", "echo $OF_SHELL") == ""


@pytest.mark.usefixtures("helped")
def test_values_that_the_user_gives_get_in_and_only_their_names_are_said(
    engine: str, api: Engine, folder: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given.env"
    given.write_text("TOKEN=s3cr3t\nOTHER=over\n")
    write(
        folder,
        remoteEnv={"OTHER": "under"},
        secrets={"TOKEN": {"description": "for the registry"}, "LACKS": {}},
        postCreateCommand="echo had ${#TOKEN} letters",
    )
    done = up(engine, folder, "--env-file", str(given))
    assert "postCreateCommand | had 6 letters" in done.stderr
    assert "given to hooks and commands inside: `OTHER`, `TOKEN`" in done.stderr
    assert "devcontainer.json asks for `LACKS`, which nobody gives" in done.stderr
    assert "s3cr3t" not in done.stderr + done.stdout
    exec_ = ("exec", "-n", "sh", "-c", "echo $TOKEN $OTHER")
    assert sandboxes.run(engine, folder, *exec_).stdout == "s3cr3t over\n"
    (container,) = api.containers(f"{PROJECT}={folder}")
    assert "s3cr3t" not in json.dumps(api.inspect(container.id)), "the engine does not have it"
    up(engine, folder)
    assert sandboxes.run(engine, folder, *exec_).stdout == "under\n", "until the next start"


def test_dotfiles_are_installed_inside_and_nowhere_else(
    engine: str, tmp_path: Path, rich: Rich
) -> None:
    folder = sandboxes.make_project(tmp_path / "ws", rich.image, "runc")
    write(folder, containerEnv={"HOME": "/home/dev"})
    dots = folder / "dots"
    dots.mkdir()
    (dots / ".of_dots").write_text("from the repository\n")
    git = ["git", "-C", str(dots), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "files"]):
        subprocess.run([*git, *words], check=True)
    sandboxes.give_to_user(folder)
    try:
        up(engine, folder)
        done = up(engine, folder, "--dotfiles", f"file:///workspaces/{folder.name}/dots")
        assert "dotfiles of `--dotfiles`: `file:///workspaces/" in done.stderr
        text = sandboxes.run(engine, folder, "exec", "-n", "cat", "/home/dev/.of_dots").stdout
        assert text == "from the repository\n"
        assert not (Path.home() / ".of_dots").exists()
    finally:
        sandboxes.run(engine, folder, "down", "--discard")


def test_much_output_arrives_whole(engine: str, folder: Path) -> None:
    count = 3000
    script = (
        f'i=0; while [ $i -lt {count} ]; do echo line $i; i=$((i+1)); done; printf "a\\rb\\rlast"'
    )
    write(folder, onCreateCommand=script)
    done = up(engine, folder)
    output = [line for line in done.stderr.splitlines() if line.startswith("onCreateCommand | ")]
    assert output == [
        *(f"onCreateCommand | line {number}" for number in range(count)),
        "onCreateCommand | last",
    ]


def test_a_program_that_is_not_there_is_a_failure(engine: str, folder: Path) -> None:
    write(folder, postStartCommand=["no-such-program", "x"])
    done = sandboxes.run(engine, folder, "up")
    assert done.returncode == 1
    assert "ended with exit code 12" in done.stderr
    assert "no-such-program" in done.stderr


@pytest.mark.gvisor
@pytest.mark.parametrize("profile", ["agent", "untrusted", "review"])
def test_a_profile_decides(
    engine: str, api: Engine, tmp_path: Path, busybox_image: str, profile: str
) -> None:
    folder = sandboxes.make_project(tmp_path / "ws", busybox_image, "gvisor", profile)
    write(folder, onCreateCommand=f"echo on > {LOG}")
    try:
        done = up(engine, folder)
        refused = f"not run: onCreateCommand: echo on > {LOG}: profile `{profile}` runs no code"
        assert (refused in done.stderr) == (profile != "agent")
        shown = sandboxes.run(engine, folder, "explain-plan")
        assert ("lifecycle hooks that `sandboxd up` does not run" in shown.stdout) == (
            profile != "agent"
        )
        inside = sandboxes.run(engine, folder, "exec", "-n", "sh", "-c", f"cat {LOG}")
        assert inside.stdout == ("on\n" if profile == "agent" else "")
        # In the copy, and not in the host's folder.
        assert not (folder / LOG).exists()
    finally:
        sandboxes.run(engine, folder, "down", "--discard")
    assert api.containers(f"{PROJECT}={folder}") == []
