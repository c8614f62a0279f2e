"""A person at work on a messy repository: what is typed, saved, checked out and shown."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandboxd import formats
from sandboxd.errors import UnreadableError
from sandboxd.files import read_beside, read_source
from sandboxd.host.facts import HostFacts
from sandboxd.lint.analysis import Fixes
from sandboxd.lint.linter import Linter
from sandboxd.lint.usual_places import config_files
from sandboxd.model.files import Files
from sandboxd.text import SourceText
from tests.integration.daemon.world import SANDBOXD
from tests.integration.lsp.raw import RawClient
from tools.lsp_client import PUBLISH

LATE_SECONDS = 60.0
"""After this long what is shown counts as stuck. What a person waits for is printed."""

Shown = frozenset[tuple[str, int, int, int, int, int, str]]
"""Of each diagnostic: rule, severity as the protocol has it, range, message."""

_SEVERITIES = {"error": 1, "warning": 2, "hint": 4}

_DEVCONTAINER = """{
  // the team's container \U0001f433
  "name": "app",
  "dockerComposeFile": "../docker-compose.yml",
  "service": "app",
  "workspaceFolder": "/w",
  "runArgs": ["--init"],
  "capAdd": ["SYS_PTRACE"],
  "mounts": ["source=${localEnv:HOME}/.cache,target=/c,type=bind"]
}
"""
_COMPOSE = """services:
  app:
    build: .
    volumes:
      - .:/w
    cap_add: [NET_RAW]
  db:
    image: postgres:16
    ports:
      - "5432:5432"
"""
_DOCKERFILE = "FROM debian:12\nRUN apt-get update && apt-get install -y git\nUSER dev\n"
_OTHER = '{\n  "image": "node:22",\n  "privileged": false\n}\n'
_CONFIG = 'profile = "dev"\nimage = "debian:12"\n'

FILES = {
    ".devcontainer/devcontainer.json": _DEVCONTAINER,
    ".devcontainer/other/devcontainer.json": _OTHER,
    "docker-compose.yml": _COMPOSE,
    "Dockerfile": _DOCKERFILE,
    "sandboxd.toml": _CONFIG,
    "package.json": '{"name": "x"}\n',
}
_WEAK = {
    ".devcontainer/devcontainer.json": _DEVCONTAINER.replace('"--init"', '"--init", "--pid=host"'),
    ".devcontainer/other/devcontainer.json": _OTHER.replace("false", "true"),
    "docker-compose.yml": _COMPOSE.replace("    cap_add", "    privileged: true\n    cap_add"),
    "Dockerfile": _DOCKERFILE.replace("USER dev", "USER root"),
}
_CONFIGS = (
    _CONFIG,
    _CONFIG + '[rules]\nprivileged-container = "off"\nhost-pid = "hint"\n',
    _CONFIG + '[[allow]]\nrule = "privileged-container"\nreason = "a debugger"\n',
    _CONFIG.replace("dev", "dve"),
)
_SNIPPETS = {
    ".json": ('"privileged": true,\n', "// sandboxd: allow host-pid -- why\n", '"--network=host",'),
    ".yml": ("    privileged: true\n", "    network_mode: host\n", "  x:\n    image: y\n"),
    ".toml": ('runtime = "gvisor"\n', '[rules]\nhost-pid = "off"\n', "profile"),
    "": ("USER root\n", "RUN curl -k https://x | sh\n", "# sandboxd: allow dockerfile-"),
}
_NOISE = ('"', "{", "}", ",", "\n", " ", "\U0001f600", "\u2028", "\t", ":", "#", "x")


class Hour:
    """An editor with its repository; what it is to show is judged anew, from nothing."""

    def __init__(self, client: RawClient, folder: Path, environ: dict[str, str], seed: int) -> None:
        self.client = client
        self.folder = folder
        self.environ = environ
        self.chance = random.Random(seed)
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.history: dict[str, list[str]] = {}
        self.log: list[str] = []
        self.waits: list[float] = []
        self._shown: dict[str, tuple[int | None, Shown]] = {}
        self._seen = 0
        self._make_repository()

    def steps(self) -> list[Callable[[], None]]:
        """What may happen, often things more than once."""
        seldom = [self.checkout_storm, self.toggle_config, self.remove, self.save_all]
        often = [self.type, self.type, self.type, self.undo, self.save, self.change_on_disk]
        return [*often, *often, self.open, self.close, self.ask, *seldom]

    def play(self, steps: int) -> None:
        """So many steps, with a look at what is shown now and then."""
        self.open()
        for number in range(steps):
            step = self.chance.choice(self.steps())
            self.log.append(step.__name__)
            step()
            if self.chance.random() < 0.15:
                self.settle()
            elif self.chance.random() < 0.3:
                time.sleep(self.chance.random() / 20)
            if number % 50 == 49:
                self.save_all()
                self.settle()
                self.compare_with_the_command()
        self.settle()

    # What a person does

    def open(self) -> None:
        closed = [p for p in self._paths() if p not in self.texts and os.path.isfile(p)]
        if closed:
            path = self.chance.choice(closed)
            self.texts[path] = Path(path).read_text()
            self.versions[path] = self.versions.get(path, 0) + 1
            self.history[path] = []
            self.client.open(_uri(path), self.texts[path], self.versions[path])

    def close(self) -> None:
        if len(self.texts) > 1:
            path = self.chance.choice(sorted(self.texts))
            del self.texts[path]
            self.client.close(_uri(path))

    def type(self) -> None:
        path = self.chance.choice(sorted(self.texts))
        for _ in range(self.chance.randint(1, 6)):
            text = self.texts[path]
            at = self.chance.randint(0, len(text))
            if self.chance.random() < 0.4:
                at = text.find("\n", at) + 1
            snippets = _SNIPPETS.get(os.path.splitext(path)[1], _SNIPPETS[""])
            choices = snippets if self.chance.random() < 0.5 else _NOISE
            gone = self.chance.choice((0, 0, 1, 12))
            self._set(path, text[:at] + self.chance.choice(choices) + text[at + gone :])

    def undo(self) -> None:
        path = self.chance.choice(sorted(self.texts))
        for _ in range(self.chance.randint(1, 8)):
            if self.history[path]:
                self._set(path, self.history[path].pop(), undoable=False)

    def save(self) -> None:
        self._save(self.chance.choice(sorted(self.texts)))

    def save_all(self) -> None:
        for path in sorted(self.texts):
            self._save(path)

    def change_on_disk(self) -> None:
        """Another program writes a file; the editor takes it over if nothing is unsaved there."""
        name = self.chance.choice(sorted(_WEAK))
        text = self.chance.choice((FILES[name], _WEAK[name]))
        path = str(self.folder / name)
        _write(path, text)
        if path in self.texts:
            self._set(path, text)

    def toggle_config(self) -> None:
        path = str(self.folder / "sandboxd.toml")
        text = self.chance.choice(_CONFIGS)
        _write(path, text)
        if path in self.texts:
            self._set(path, text)

    def checkout_storm(self) -> None:
        for _ in range(self.chance.randint(1, 5)):
            self._git("checkout", "-q", "-f", self.chance.choice(("weak", "fine")))
        self._reload()

    def remove(self) -> None:
        """A file goes away, as during a rebase, and often comes back."""
        name = self.chance.choice(sorted(_WEAK))
        path = self.folder / name
        path.unlink(missing_ok=True)
        if self.chance.random() < 0.7:
            time.sleep(self.chance.random() / 10)
            _write(str(path), FILES[name])
        self._reload()

    def ask(self) -> None:
        uri = _uri(self.chance.choice(sorted(self.texts)))
        place = {"line": self.chance.randint(0, 12), "character": self.chance.randint(0, 30)}
        document = {"textDocument": {"uri": uri}}
        whole = {"range": {"start": place, "end": place}, "context": {"diagnostics": []}}
        method, params = self.chance.choice(
            [
                ("textDocument/hover", {**document, "position": place}),
                ("textDocument/codeAction", {**document, **whole}),
                ("textDocument/codeLens", document),
                ("textDocument/definition", {**document, "position": place}),
            ]
        )
        assert "result" in self.client.request(method, params)

    # What is shown

    def settle(self) -> None:
        """Wait until all that is shown is right; how long that took is kept."""
        began = time.monotonic()
        while wrong := self._wrong():
            waited = time.monotonic() - began
            assert waited < LATE_SECONDS, f"{wrong}\nafter {self.log[-30:]}"
            time.sleep(0.02)
        self.waits.append(time.monotonic() - began)

    def compare_with_the_command(self) -> None:
        """Everything is saved: a fresh `sandboxd check` has to say what is shown."""
        paths = [p for p in sorted(self.texts) if self._is_ours(p) and self._is_saved(p)]
        done = subprocess.run(
            [*SANDBOXD, "check", "--pedantic", "--format=json", *paths],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        codes: dict[str, set[Any]] = {path: set() for path in paths}
        for finding in json.loads(done.stdout)["findings"]:
            path = os.path.normpath(self.folder / finding["path"])
            if finding["suppressed"] is None and path in codes:
                codes[path].add((finding["rule"], finding["line"], _first_line(finding["message"])))
        # An edit of a generated file is kept beside it by the daemon: it is not what was saved.
        for path in filter(self._is_saved, paths):
            shown = {(rule, line + 1, message) for rule, _, line, *_, message in self.shown(path)}
            # A file by itself is judged alone; in a run it also gets what others find in it.
            assert shown <= codes[path], (path, shown - codes[path], self.log[-30:])

    def shown(self, path: str) -> Shown:
        return self._shown.get(path, (None, frozenset()))[1]

    def _wrong(self) -> str:
        """What is shown and is not right, '' when all is."""
        self._read()
        expected = self._expected()
        for path in sorted(expected.keys() | self._shown.keys()):
            version, shown = self._shown.get(path, (None, frozenset()))
            wanted = expected.get(path, frozenset())
            if self._is_ours(path) and version != self.versions[path]:
                return f"{path}: version {version} is shown, {self.versions[path]} is open"
            if shown != wanted:
                return f"{path}: missing {wanted - shown}, too much {shown - wanted}"
        return ""

    def _is_ours(self, path: str) -> bool:
        """Whether a file that is open is a config, by its name and by what it says."""
        return path in self.texts and formats.find(path, self.texts[path]) is not None

    def _read(self) -> None:
        """Take in what was published."""
        for message in self.client.drain()[self._seen :]:
            if message is not None and message.get("method") == PUBLISH:
                params = message["params"]
                path = params["uri"].removeprefix("file://")
                shown = frozenset(map(_diagnostic, params["diagnostics"]))
                self._shown[path] = params.get("version"), shown
        self._seen = len(self.client.passed)

    def _expected(self) -> dict[str, Shown]:
        """From nothing: each open text, and the configs beside that are not open."""
        texts = {path: SourceText(path, text) for path, text in self.texts.items()}
        sources = dict(texts)
        for path in config_files(str(self.folder)):
            if path not in sources and not path.endswith("sandboxd.toml"):
                try:
                    sources[path] = read_source(path)
                except UnreadableError:
                    continue
        codes = {}
        for path, source in sources.items():
            if formats.find(path, source.text) is None:
                continue
            host = HostFacts(system="Linux", home=self.environ["HOME"])
            linter = Linter(self.environ, host, Files(texts, read_beside))
            report = linter.check(source, fixes=Fixes.VERIFIED)
            codes[path] = frozenset(
                _finding(f, source)
                for f in report.findings
                if f.suppressed is None and f.place.path == path
            )
        return codes

    # How it is done

    def _paths(self) -> list[str]:
        return [str(self.folder / name) for name in FILES]

    def _set(self, path: str, text: str, *, undoable: bool = True) -> None:
        if undoable:
            self.history[path].append(self.texts[path])
        self.texts[path] = text
        self.versions[path] += 1
        self.client.change(_uri(path), text, self.versions[path])

    def _save(self, path: str) -> None:
        _write(path, self.texts[path])
        self.client.notify("textDocument/didSave", {"textDocument": {"uri": _uri(path)}})

    def _is_saved(self, path: str) -> bool:
        try:
            return Path(path).read_bytes() == self.texts[path].encode()
        except OSError:
            return False

    def _reload(self) -> None:
        """Take over what is on disk, as editors do after a checkout."""
        for path in sorted(self.texts):
            if os.path.isfile(path):
                self._set(path, Path(path).read_text())

    def _make_repository(self) -> None:
        self._git("init", "-q", "-b", "fine")
        for branch, changes in (("fine", {}), ("weak", _WEAK)):
            if branch != "fine":
                self._git("checkout", "-q", "-b", branch)
            for name, text in {**FILES, **changes}.items():
                _write(str(self.folder / name), text)
            self._git("add", "-A")
            self._git("commit", "-q", "-m", branch)

    def _git(self, *args: str) -> None:
        names = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        for _ in range(5):
            done = subprocess.run(
                ["git", *names, *args],
                cwd=self.folder,
                env={**self.environ, "GIT_CONFIG_NOSYSTEM": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            # The daemon may generate a file in the moment in which git makes it.
            if "File exists" not in done.stderr:
                break
        assert done.returncode == 0, done.stderr


def _uri(path: str) -> str:
    return Path(path).as_uri()


def _write(path: str, text: str) -> None:
    """As editors do: a new file that takes the old one's name."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = f"{path}.tmp~"
    Path(beside).write_bytes(text.encode())
    os.replace(beside, path)


def _diagnostic(item: Any) -> tuple[str, int, int, int, int, int, str]:
    start, end = item["range"]["start"], item["range"]["end"]
    place = start["line"], start["character"], end["line"], end["character"]
    return (item.get("code", ""), item["severity"], *place, _first_line(item["message"]))


def _finding(finding: Any, source: SourceText) -> tuple[str, int, int, int, int, int, str]:
    start = source.position(finding.place.span.start, "utf-16")
    end = source.position(finding.place.span.end, "utf-16")
    severity = _SEVERITIES[finding.severity.label]
    return (finding.rule, severity, *start, *end, _first_line(finding.message))


def _first_line(message: str) -> str:
    """For clients that show no related places those are in the further lines."""
    return message.partition("\n")[0]
