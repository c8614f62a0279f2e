"""The life of one project in its sandbox, from clone to `down`, by the commands that a person types."""

from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
_INSTALLED = Path(sys.executable).with_name("sandboxd")
SANDBOXD = [str(_INSTALLED)] if _INSTALLED.exists() else [sys.executable, "-m", "sandboxd"]
STEPS = ("check", "init", "up", "hooks", "tests", "server", "commit", "review", "down")
"""The columns; `hooks` is a part of `up`."""
_SECONDS = 900.0
_SECONDS_TO_SERVE = 90.0
_HOOK = re.compile(r"^(\w+Command) of [^:]+: ", re.MULTILINE)
_REF = re.compile(r"^refs/sandboxd/\S+/(?!worktree$)\S+$", re.MULTILINE)
CHANGE = (
    "echo 'A line from the sandbox.' >>README.md && git add README.md"
    " && git commit --quiet --message 'Add a line'"
)
_WITH_A_COPY = '\n[workspace]\nlayout = "clone"\n'


class Project(NamedTuple):
    """A public repository at one commit, and what is done in it."""

    name: str
    kind: str
    commit: str
    images: list[str]
    """Those that its files name."""
    tests: str
    """A command of the shell."""
    serve: str = ""
    """A command that serves a page, '' where it has none."""
    port: int = 0
    shows: str = ""
    """Words of the page at `port`."""
    change: str = ""
    """A command of the shell that changes the clone first, for `stands_in` to tell; '' for none."""
    stands_in: str = ""
    """What is done instead of what the project's own documents say, and why."""


class Step(NamedTuple):
    """What came of a step: `seconds` is None where it was not reached, `fault` '' where it did what it should."""

    name: str
    seconds: float | None
    fault: str = ""
    note: str = ""


class Failed(Exception):
    """A command did not do what it should; the text is its last words."""


class Life:
    """One project under one runtime, or under another client."""

    def __init__(self, project: Project, folder: Path, environ: dict[str, str]) -> None:
        self.project, self.folder, self.environ = project, folder, environ
        self.steps: list[Step] = []

    def step(self, name: str, action: Callable[[], str]) -> bool:
        """Do it, with its time; whether it went well. What `action` returns is a note on it."""
        before = time.monotonic()
        note, fault = "", ""
        try:
            note = action()
        except Failed as error:
            fault = str(error)
        except subprocess.TimeoutExpired:
            fault = f"no end after {_SECONDS:.0f} s"
        self.steps.append(Step(name, time.monotonic() - before, fault, note))
        return not fault

    def run(self, *command: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """:raises Failed: it ends with another exit code"""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS,
        )
        if done.returncode not in codes:
            raise Failed(f"exit code {done.returncode}: {last_words(done.stderr or done.stdout)}")
        return done

    def sandboxd(
        self, *words: str, codes: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        return self.run(*SANDBOXD, *words, codes=codes)


def live(life: Life, runtime: str) -> list[Step]:
    """Every step of `STEPS` under `runtime` (a value of sandboxd.toml); nothing runs afterwards."""
    project = life.project
    life.step("check", lambda: _check(life))
    life.step("init", lambda: _init(life, runtime))
    try:
        if life.step("up", lambda: _up(life)):
            inside = [*SANDBOXD, "exec", "-n", "--", "sh", "-c"]
            life.step("tests", lambda: ran(life.run(*inside, project.tests)))
            if project.serve:
                life.step("server", lambda: _open_server(life, inside))
            life.step("commit", lambda: commit(life, inside))
    finally:
        down = life.step("down", lambda: ran(life.sandboxd("down")))
    if down:
        life.step("review", lambda: _review(life))
    return life.steps


def _check(life: Life) -> str:
    done = life.sandboxd("check", codes=(0, 1))
    (summary,) = re.findall(r"^(?:no|\d+) .* files?", done.stdout + done.stderr, re.MULTILINE)
    return str(summary)


def _init(life: Life, runtime: str) -> str:
    life.sandboxd("init")
    _write_config(life, lambda text: text.replace('runtime = "auto"', f'runtime = "{runtime}"'))
    return ""


def _write_config(life: Life, change: Callable[[str], str]) -> None:
    """Change sandboxd.toml as a person does, and say yes to what that asks for."""
    path = life.folder / "sandboxd.toml"
    path.write_text(change(path.read_text()))
    life.sandboxd("trust", "add", "--yes")


def _up(life: Life) -> str:
    done = life.sandboxd("up")
    return ", ".join(_HOOK.findall(done.stderr)) or "none"


def ran(_: subprocess.CompletedProcess[str]) -> str:
    """Nothing to note on a command that went well."""
    return ""


def _open_server(life: Life, inside: list[str]) -> str:
    project = life.project
    local = free_port()
    with running(life, [*inside, project.serve]) as server:
        forward = [*SANDBOXD, "forward", f"{project.port}:{local}"]
        with running(life, forward):
            url = f"http://127.0.0.1:{local}/"
            wait_for_page(url, project.shows, server)
    return ""


@contextlib.contextmanager
def running(life: Life, command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """It runs while the block does, and is ended as by Ctrl-C."""
    with subprocess.Popen(
        command,
        cwd=life.folder,
        env=life.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def wait_for_page(url: str, words: str, server: subprocess.Popen[str]) -> None:
    """:raises Failed: the server ends, or the page does not come with `words` on it"""
    deadline = time.monotonic() + _SECONDS_TO_SERVE
    shown = "no answer"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            output, _ = server.communicate()
            raise Failed(f"the server ended with {server.returncode}: {last_words(output)}")
        try:
            # As browsers ask: some servers have a page for those who want one alone.
            request = urllib.request.Request(url, headers={"Accept": "text/html"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                shown = answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            shown = f"status {error.code}: {error.read().decode(errors='replace')}"
        except (OSError, http.client.HTTPException) as error:
            shown = str(error)
        if words in shown:
            return
        time.sleep(0.2)
    raise Failed(f"`{words}` is not on the page: {last_words(shown)}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def commit(life: Life, inside: list[str]) -> str:
    """Commit a change inside; whose it is, as git here says."""
    life.run(*inside, CHANGE)
    return life.run("git", "log", "-1", "--format=by %an").stdout.strip()


def _review(life: Life) -> str:
    """The same change in a private copy, looked at, saved and merged here."""
    _write_config(life, lambda text: text + _WITH_A_COPY)
    try:
        life.sandboxd("up", "--no-hooks")
        life.sandboxd("exec", "-n", "--", "sh", "-c", CHANGE)
        if "README.md" not in life.sandboxd("review").stdout:
            raise Failed("`sandboxd review` does not name README.md")
        saved = life.sandboxd("review", "--save")
        reference = _REF.search(saved.stdout)
        if reference is None:
            raise Failed(f"no reference is saved: {last_words(saved.stderr)}")
        life.run("git", "merge", "--quiet", reference[0])
    finally:
        life.sandboxd("down", "--discard")
    return ""


def last_words(text: str) -> str:
    """The error of ours in an output, else its last line, as one line of at most 200 characters."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = [line for line in lines if line.startswith("error: ")]
    line = (own or lines or ["nothing was said"])[-1]
    return line.removeprefix("error: ")[:200]
