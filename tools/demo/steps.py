"""The steps of the demo, in order. Each shows what it runs, and fails if the promise is broken."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from tools.demo.screen import DemoError, Screen
from tools.engine.image import BUSYBOX_TAG, import_busybox_image
from tools.lsp_client import LspClient

CONFIG = ".devcontainer/devcontainer.json"
GENERATED = ".devcontainer/sandboxd/devcontainer.json"
DEVCONTAINER_CLI = "@devcontainers/cli@0.89.0"

_SEVERITY = {1: "error", 2: "warning", 3: "information", 4: "hint"}
_HALF_EDITED = '{\n  "image": "debian:13",\n  "runArgs": ["--privileged", "--pid=host"'


class Demo(NamedTuple):
    """What the steps work with."""

    screen: Screen
    project: str
    image: str
    docker_host: str
    """'' when there is no engine."""
    afterwards: list[tuple[str, ...]]
    """Commands that undo what a step leaves, run when everything is taken down."""


def image(demo: Demo, given: str) -> None:
    """Step 2: a local image; made without a registry unless one is given."""
    if given:
        demo.screen.run("docker", "image", "inspect", "--format", "{{.Id}}", given)
        config = f"{demo.project}/{CONFIG}"
        text = _read(config)
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace(BUSYBOX_TAG, given))
        return
    demo.screen.command(["python", "tools/private_engine.py", "image", "--host", demo.docker_host])
    if demo.screen.quiet("docker", "image", "inspect", BUSYBOX_TAG).returncode:
        demo.afterwards.append(("docker", "image", "rm", "--no-prune", BUSYBOX_TAG))
    demo.screen.say(f"  {import_busybox_image(demo.docker_host)}")


def check(demo: Demo) -> None:
    """Step 3: what the weak project gives away, and the hardened text."""
    demo.screen.run("sandboxd", "check", "--pedantic", expect={1}, most_lines=120)
    changed = demo.screen.run("sandboxd", "check", "--fix", "--unsafe", "--diff", expect={1})
    for line in ('-    "--privileged",', '   // "needed for docker in docker"'):
        if line not in changed:
            raise DemoError(f"the hardened text lacks `{line}`")


def generate(demo: Demo) -> None:
    """Step 4: the project's wish, the generated file, and where each line comes from."""
    demo.screen.run("sandboxd", "init")
    demo.screen.run("cat", "sandboxd.toml")
    started = time.monotonic()
    demo.screen.run("sandboxd", "daemon", "start")
    _wait_for_change(f"{demo.project}/{GENERATED}", "", started)
    demo.screen.run("cat", GENERATED)
    demo.screen.run("sandboxd", "explain-plan", most_lines=40)


def run(demo: Demo) -> None:
    """Step 5: the workspace runs in its sandbox; what is in force is read inside."""
    demo.screen.run("sandboxd", "up")
    demo.screen.run("sandboxd", "exec", "--", "./weather.sh", "sunny")
    demo.screen.run("sandboxd", "exec", "--", "id")
    demo.screen.run("sandboxd", "exec", "--", "cat", "/proc/version")
    controls = "grep -E '^(Uid|NoNewPrivs|Seccomp|CapBnd)' /proc/1/status"
    demo.screen.run("sandboxd", "exec", "--", "sh", "-c", controls)
    demo.screen.say("The same file in the dev container CLI (what editors use):")
    if shutil.which("npx", path=demo.screen.environment["PATH"]) is None:
        demo.screen.say("  not shown: there is no `npx` here (apt-get install nodejs npm)")
        return
    try:
        demo.screen.run(
            *("npx", "--yes", DEVCONTAINER_CLI, "up", "--workspace-folder", "."),
            *("--config", GENERATED),
            most_lines=12,
        )
        demo.screen.run(
            *("npx", "--yes", DEVCONTAINER_CLI, "exec", "--workspace-folder", "."),
            *("--config", GENERATED, "cat", "/proc/version"),
        )
    finally:
        _remove_containers(demo, f"label=devcontainer.local_folder={demo.project}")


def verify(demo: Demo) -> None:
    """Step 6: the sandbox holds; the weak container of step 3, started as it asks, does not."""
    demo.screen.run("sandboxd", "verify", most_lines=200)
    demo.screen.say("Now the weak container, as its devcontainer.json asks for it:")
    name = f"sandboxd-demo-weak-{os.getpid()}"
    socket = demo.docker_host.removeprefix("unix://")
    try:
        demo.screen.run(
            *("docker", "run", "--detach", "--name", name, "--privileged"),
            *("--cap-add=SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--network", "host"),
            *("--mount", f"type=bind,source={socket},target=/var/run/docker.sock"),
            *("--mount", f"type=bind,source={demo.screen.environment['HOME']},target=/host-home"),
            *("--mount", f"type=bind,source={demo.project},target=/workspace"),
            *(demo.image, "sleep", "600"),
        )
        demo.screen.run("sandboxd", "verify", "--container", name, expect={6}, most_lines=200)
    finally:
        _remove_containers(demo, f"name={name}")


def regenerate(demo: Demo) -> None:
    """Step 7: a saved sandboxd.toml becomes a new devcontainer.json at once."""
    config, generated = f"{demo.project}/sandboxd.toml", f"{demo.project}/{GENERATED}"
    before = _read(generated)
    profile = "agent"
    if "--runtime=runsc" not in before:
        profile = "seed-baseline"
        demo.screen.say(f"`agent` wants gVisor, which is not usable here: `{profile}` instead.")
        demo.screen.say("It takes controls away, so that only counts once it is trusted.")
    edit = f's/^profile = .*/profile = "{profile}"/'
    demo.screen.command(["sed", "-i", edit, "sandboxd.toml"])
    started = time.monotonic()
    _set_line(config, "profile", f'profile = "{profile}"')
    if profile != "agent":
        demo.screen.run("sandboxd", "trust", "add", "--yes")
    elapsed = _wait_for_change(generated, before, started)
    demo.screen.say(f"  saved -> `{GENERATED}` regenerated in {elapsed * 1000:.0f} ms")


def language_server(demo: Demo) -> None:
    """Step 8: what an editor shows while one types."""
    demo.screen.command(["sandboxd", "lsp", "--stdio"])
    program = shutil.which("sandboxd", path=demo.screen.environment["PATH"])
    assert program is not None
    command = [program, "lsp", "--stdio"]
    with LspClient(command, demo.screen.environment, demo.project) as client:
        folder = Path(demo.project).as_uri()
        server = client.initialize(
            {"textDocument": {"publishDiagnostics": {"versionSupport": True}}},
            rootUri=folder,
            workspaceFolders=[{"uri": folder, "name": "demo"}],
        )["result"]
        name = server.get("serverInfo", {}).get("name", "the server")
        demo.screen.say(f"  to {name}, an unsaved, half-typed {CONFIG}:")
        for line in _HALF_EDITED.splitlines():
            demo.screen.say(f"    | {line}")
        uri = f"{folder}/{CONFIG}"
        client.open(uri, _HALF_EDITED)
        diagnostics = client.published(1, uri)
        for item in diagnostics:
            start = item["range"]["start"]
            where = f"{start['line'] + 1}:{start['character'] + 1}"
            severity = _SEVERITY.get(item.get("severity", 1), "error")
            demo.screen.say(f"  {where} {severity} {item.get('code', '')}: {item['message']}")
        if not any(item.get("code") == "privileged-container" for item in diagnostics):
            raise DemoError("the language server did not report `--privileged`")
        client.shut_down()


def status(demo: Demo) -> None:
    """Step 9: what is in force; since step 7 that is not what is asked for, until the next start."""
    demo.screen.say("Step 7 asked for another profile; what runs is still that of step 5:")
    demo.screen.run("sandboxd", "status")


def take_down(demo: Demo) -> None:
    """End everything the demo started; each command may find nothing to do."""
    if demo.docker_host:
        demo.screen.run("sandboxd", "down", expect=range(256))
    demo.screen.run("sandboxd", "daemon", "stop", expect=range(256))
    for command in demo.afterwards:
        demo.screen.run(*command, expect=range(256))


def _remove_containers(demo: Demo, filter_: str) -> None:
    ids = demo.screen.quiet("docker", "ps", "--all", "--quiet", "--filter", filter_).stdout
    if ids.split():
        demo.screen.quiet("docker", "rm", "--force", *ids.split())


def _set_line(path: str, key: str, line: str) -> None:
    """Replace the top-level line of `key`, as a person would."""
    lines = _read(path).splitlines()
    at = [n for n, text in enumerate(lines) if text.split("=")[0].strip() == key]
    if not at:
        raise DemoError(f"`{path}` has no line for `{key}`")
    lines[at[0]] = line
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _wait_for_change(path: str, before: str, started: float) -> float:
    """Seconds from `started` until `path` is there and differs from `before`."""
    while _read(path) == before:
        if time.monotonic() - started > 10:
            raise DemoError(f"the daemon did not write `{path}` within 10 s")
        time.sleep(0.001)
    return time.monotonic() - started


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""
