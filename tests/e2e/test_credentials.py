"""Real tools work with services by secrets that never enter; afterwards the secret is searched for everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.credentials.name import Name
from sandboxd.credentials.uses import decoy
from sandboxd.engine.client import Engine, connect_from
from sandboxd.model.labels import GATEWAY, PROJECT
from tests.e2e import credential_services, rich_image, sandboxes
from tests.e2e.client_image import name_services
from tests.e2e.credential_services import FORGE, FORMS, INDEX, NPM, SECRET, Services
from tests.e2e.internet_of_engine import engine, internet, private_engine
from tests.e2e.outside import Outside
from tests.e2e.test_egress import pytest_generate_tests, runtime
from tests.integration.daemon.world import World
from tests.patience import eventually
from tools.engine import private

__all__ = ["engine", "internet", "private_engine", "pytest_generate_tests", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

NAMES = credential_services.HOSTS

CONFIG = '\n[credentials]\nuse = ["github", "npm", "pypi"]\n'
PATTERN = "marked-secret-[0-9a-f]+|(eC1hY2Nlc3MtdG9rZW46|X190b2tlbl9fOm)[A-Za-z0-9+/=]+"
"""Finds each of `FORMS`, and holds none: what searches inside is a process there."""
CRASHES = tuple(
    path
    for path in map(Path, ("/var/crash", "/var/lib/systemd/coredump", "/var/lib/apport"))
    if path.is_dir()
)
"""Where systems put the memory of programs that crashed."""
NPM_PROGRAM = "/opt/npm/bin/npm-cli.js"


@pytest.fixture(scope="module")
def services(internet: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    every = Services(internet.pid, tmp_path_factory.mktemp("services"))
    try:
        yield every
    finally:
        every.close()


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    def more(root: Path) -> list[str]:
        (root / "opt").mkdir()
        rich_image.add_pip(root)
        rich_image.add_npm(root)
        programs = [path for path in [shutil.which("git-lfs")] if path]
        for path in programs:
            shutil.copy2(path, root / "usr/bin")
        program = "/usr/lib/git-core/git-remote-http"
        shutil.copy2(os.path.realpath(program), root / "usr/lib/git-core/git-remote-http")
        (root / "usr/lib/git-core/git-remote-https").symlink_to("git-remote-http")
        return [*programs, os.path.realpath(program), *name_services(root)]

    folder = tmp_path_factory.mktemp("image")
    return rich_image.build(engine, folder, "sandboxd-credentials:1", more).image


class Person:
    """Works in one project whose tools use three services."""

    def __init__(self, world: World, project: Path, services: Services) -> None:
        self.world, self.project = world, project
        world.environ["SSL_CERT_FILE"] = str(services.authority)
        world.environ["FORGE_TOKEN"] = SECRET

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.world.run(*words, cwd=self.project, **more)

    def must(self, *words: str, **more: str) -> str:
        done = self.run(*words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def inside(self, text: str) -> str:
        done = self.run("exec", "-n", "sh", "-c", f"export HOME=/tmp/home; mkdir -p $HOME; {text}")
        return done.stdout + done.stderr


@pytest.fixture(params=["alone", "by the daemon"])
def person(
    request: pytest.FixtureRequest,
    world: World,
    tmp_path: Path,
    image: str,
    runtime: str,
    services: Services,
) -> Iterator[Person]:
    project = sandboxes.make_project(tmp_path / "ws", image, runtime)
    config = project / "sandboxd.toml"
    config.write_text(config.read_text() + CONFIG)
    me = Person(world, project, services)
    services.asked.clear()
    services.answers_401 = False
    if request.param == "by the daemon":
        world.start()
    vault = tmp_path / "vault"
    vault.write_text(f"{SECRET}\n")
    me.must("credentials", "add", "github", "--env", "FORGE_TOKEN")
    me.must("credentials", "add", "npm", "--file", input=SECRET)
    me.must("credentials", "add", "pypi", "--command", f"cat {vault}")
    yield me
    me.run("down", "--discard")
    services.answers_401 = False
    api = connect_from(world.environ)
    left = [*api.containers(PROJECT), *api.containers(GATEWAY)]
    for container in left:
        api.remove(container.id)
    assert [container.name for container in left] == []


def test_git_pip_and_npm_work_and_the_secret_is_nowhere(
    person: Person, services: Services, api: Engine, private_engine: private.Engine
) -> None:
    refused = person.run("up")
    assert refused.returncode != 0 and "cannot use your credentials" in refused.stderr
    assert "every method" in person.must("trust", "add", "--yes")
    person.must("up")
    assert "is as planned" in person.run("drift").stdout

    work_with_git(person, services)
    if shutil.which("git-lfs"):
        work_with_lfs(person, services)
    work_with_pip(person, services)
    if shutil.which("npm"):
        work_with_npm(person, services)

    assert not [asked.text for asked in services.asked if not asked.is_true]
    placeholder = decoy(str(person.project), Name("github"))
    assert not [asked.text for asked in services.asked if placeholder in asked.text]
    assert places_of_the_secret(person, api, private_engine) == []
    # The search sees what is there.
    person.inside(f"echo {SECRET[:9]}X{SECRET[9:]} | tr -d X > /tmp/planted")
    assert "files inside" in places_of_the_secret(person, api, private_engine)


def work_with_git(person: Person, services: Services) -> None:
    identity = "git -c user.name=a -c user.email=a@b.test"
    output = person.inside(
        f"cd /tmp && git clone -q https://{FORGE}/team/repo.git && cd repo && cat README"
        f" && echo more >> README && {identity} commit -qam second && git push -q origin HEAD:main"
        " && echo pushed && git remote get-url origin"
    )
    assert "a repository\n" in output and "pushed" in output, output
    bare = services.folder / "git/team/repo.git"
    command = ["git", "-C", str(bare), "log", "-1", "--format=%s", "main"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "second\n"
    subprocess.run(["git", "-C", str(bare), "update-ref", "refs/heads/main", "main~1"], check=True)
    # Other spellings of the same place lead to the gateway as well.
    assert "refs/heads/main" in person.inside(f"git ls-remote git@{FORGE}:team/repo.git")


def work_with_lfs(person: Person, services: Services) -> None:
    services.lfs.files.clear()
    identity = "git -c user.name=a -c user.email=a@b.test"
    output = person.inside(
        f"cd /tmp && git clone -q https://{FORGE}/team/repo.git large && cd large"
        " && git lfs install --local && git lfs track '*.bin' && echo large file > one.bin"
        f" && git add . && {identity} commit -qm large && git push -qf origin HEAD:refs/heads/large"
        " && echo pushed"
    )
    assert "pushed" in output, output
    assert list(services.lfs.files.values()) == [b"large file\n"]
    output = person.inside(
        f"cd /tmp && git clone -q -b large https://{FORGE}/team/repo.git again"
        " && cd again && git lfs install --local && git lfs pull && cat one.bin"
    )
    assert "large file\n" in output, output


def work_with_pip(person: Person, services: Services) -> None:
    output = person.inside(
        "PYTHONPATH=/opt/pip.whl python3 -m pip install -q --disable-pip-version-check"
        " --target /tmp/pip --no-cache-dir tiny && cat /tmp/pip/tiny.py"
    )
    assert "VALUE = 7" in output, output
    assert "/simple/tiny/" in services.paths(INDEX)


def work_with_npm(person: Person, services: Services) -> None:
    npm = f"node {NPM_PROGRAM} --no-update-notifier --no-audit --no-fund"
    output = person.inside(f"{npm} whoami")
    assert "someone" in output, output
    output = person.inside(
        f"mkdir -p /tmp/app && cd /tmp/app && {npm} install tiny && node -p 'require(\"tiny\")'"
        " && cat package-lock.json"
    )
    assert "\n7\n" in output, output
    # Else the next who installs would look for this gateway.
    assert f"https://{NPM}/tiny/-/tiny-1.0.0.tgz" in output
    output = person.inside(
        "mkdir -p /tmp/pkg && cd /tmp/pkg && "
        """echo '{"name": "published", "version": "1.0.0"}' > package.json && """
        f"{npm} publish"
    )
    assert "+ published@1.0.0" in output, output
    assert "/published" in services.paths(NPM)


def places_of_the_secret(person: Person, api: Engine, private_engine: private.Engine) -> list[str]:
    """Where any form of the secret is, but for the two files in which the user keeps it."""
    texts = {
        "environment inside": person.inside("cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'"),
        "files inside": person.inside(
            f"grep -rahoE -D skip '{PATTERN}' /home /tmp /etc /opt /root /run /var /workspaces"
        ),
        "status": person.must("status", "--json"),
        "plan": person.must("explain-plan", "--json"),
        "log of names": person.must("egress", "log", "--json"),
        "record": person.run("audit", "--json").stdout,
        "list": person.must("credentials", "list", "--json"),
        "report": person.run("check", "--format", "json").stdout,
        "report for other tools": person.run("check", "--format", "sarif").stdout,
        "host": person.run("doctor", "--raw").stdout,
    }
    for container in [*api.containers(PROJECT), *api.containers(GATEWAY)]:
        inspected = api.inspect(container.id)
        texts[f"inspect {container.name}"] = json.dumps(inspected)
        if inspected["HostConfig"]["LogConfig"]["Type"] != "none":
            lines = api.logs(container.id, follow=False, tail="all")
            words = b"".join(piece for _, piece in lines)
            texts[f"logs {container.name}"] = words.decode("latin-1")
        for name in ("environ", "cmdline"):
            path = Path(f"/proc/{inspected['State']['Pid']}/{name}")
            texts[f"{name} of {container.name}"] = path.read_bytes().decode("latin-1")
    places = [name for name, text in texts.items() if any(form in text for form in FORMS)]
    known = {Path(os.environ["XDG_CONFIG_HOME"]) / "sandboxd/secrets/npm"}
    # The engine's folder has volumes, images, what containers wrote, and its own logs.
    folders = (person.world.home, person.project, Path(private_engine.folder), *CRASHES)
    for folder in folders:
        places += [str(path) for path in holders(folder) if path not in known]
    return places


def holders(folder: Path) -> list[Path]:
    """Files below `folder` that hold a form of the secret."""
    words = [word for form in FORMS for word in ("-e", form)]
    done = subprocess.run(
        ["grep", "-rlaF", "-D", "skip", *words, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [Path(line) for line in done.stdout.splitlines()]


def test_inside_is_nothing_of_the_shell_that_called(person: Person) -> None:
    person.world.environ["PRIVATE_THING"] = "marked-private"
    person.must("trust", "add", "--yes")
    person.must("up")
    output = person.inside("cat /proc/*/environ | tr '\\0' '\\n'")
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert "GIT_CONFIG_COUNT" in names
    assert not {"PRIVATE_THING", "FORGE_TOKEN", "SSL_CERT_FILE", "XDG_CONFIG_HOME"} & names
    assert "marked-private" not in output


def test_what_is_missing_revoked_or_taken_away_is_said(person: Person, services: Services) -> None:
    person.must("trust", "add", "--yes")
    del person.world.environ["FORGE_TOKEN"]
    up = person.must("up")
    assert "credentials: `github` is not in force: the variable `FORGE_TOKEN`" in " ".join(
        up.split()
    )
    clone = f"git ls-remote https://{FORGE}/team/repo.git"
    assert "503" in person.inside(clone)
    missing = "github-git without its secret"
    # A daemon hears of it by the gateway's events.
    eventually(lambda: missing in " ".join(person.must("status", "--long").split()))
    person.world.environ["FORGE_TOKEN"] = SECRET
    # The sandbox goes on, and its gateway has the new secret.
    assert "already running" in person.must("up")
    eventually(lambda: missing not in " ".join(person.must("status", "--long").split()))
    assert "refs/heads/main" in person.inside(clone)
    services.answers_401 = True
    assert "refs/heads/main" not in person.inside(clone)
    services.answers_401 = False
    config = person.project / "sandboxd.toml"
    config.write_text(config.read_text().replace('"github", ', "") + 'required = ["github"]\n')
    person.must("trust", "add", "--yes")
    del person.world.environ["FORGE_TOKEN"]
    refused = person.run("up")
    assert refused.returncode != 0
    assert "the credential `github` is required: the variable `FORGE_TOKEN`" in refused.stderr


ASK_MODEL = """
import json, os, urllib.request
base, key = os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"]
request = urllib.request.Request(base + "/v1/messages", b"{}", {"x-api-key": key})
print("model says", json.load(urllib.request.urlopen(request, timeout=60)), key)
"""


def test_an_agent_has_a_home_of_its_own_and_a_model_without_a_key(
    world: World, tmp_path: Path, image: str, api: Engine, services: Services
) -> None:
    if "runsc-sandboxd" not in api.info()["Runtimes"]:
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    (world.home / ".marked-dotfile").write_text("of the host\n")
    project = sandboxes.make_project(tmp_path / "agent", image, "gvisor", "agent")
    config = project / "sandboxd.toml"
    config.write_text(config.read_text() + '\n[credentials]\nrequired = ["anthropic"]\n')
    me = Person(world, project, services)
    services.answers_401 = False
    me.must("credentials", "add", "anthropic", "--env", "FORGE_TOKEN")
    me.must("trust", "add", "--yes")
    me.must("up")
    try:
        done = me.run("exec", "-n", "python3", "-c", ASK_MODEL)
        answer = f"model says {{'data': []}} {decoy(str(project), Name('anthropic'))}\n"
        assert done.stdout == answer, done.stderr
        home = me.run(
            "exec", "-n", "sh", "-c", "ls -A ~; cat /proc/*/environ | tr '\\0' '\\n'"
        ).stdout
        assert ".marked-dotfile" not in home
        assert "ANTHROPIC_BASE_URL=" in home
        assert SECRET not in home and str(world.home) not in home
    finally:
        me.must("down", "--discard")
