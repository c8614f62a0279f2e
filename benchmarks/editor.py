"""An editor, as far as a stopwatch needs one."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from typing import Any

from tools.lsp_client import PUBLISH, LspClient

LONGEST_SECONDS = 120.0


class Editor:
    """A language server over stdio and one open document.

    One that `pulls` asks for diagnostics, others wait for them.
    """

    def __init__(
        self,
        command: list[str],
        environ: dict[str, str],
        uri: str = "file:///benchmark/.devcontainer/devcontainer.json",
        language: str = "jsonc",
        *,
        pulls: bool = False,
    ) -> None:
        self._client = LspClient(command, environ)
        self.process = self._client.process
        self._version = 0
        self._language = language
        self._pulls = pulls
        self.uri = uri

    def initialize(self) -> None:
        """The handshake."""
        text: dict[str, Any] = {"publishDiagnostics": {"relatedInformation": True}}
        if self._pulls:
            text["diagnostic"] = {}
        general = {"positionEncodings": ["utf-16"]}
        self._client.answers["workspace/configuration"] = [None]
        self._client.initialize({"textDocument": text, "general": general})

    def open(self, text: str) -> None:
        """Open the document and wait for its diagnostics."""
        self._version = 1
        self._client.open(self.uri, text, language=self._language)
        self.shown()

    def change(self, text: str) -> int:
        """Send the whole text anew; its version."""
        self._version += 1
        self._client.change(self.uri, text, self._version)
        return self._version

    def shown(self) -> None:
        """Wait for the next diagnostics of the document, by whichever way; a version may lack."""
        if self._pulls:
            params = {"textDocument": {"uri": self.uri}}
            number = self._client.ask("textDocument/diagnostic", params)
            self._wait(lambda message: message.get("id") == number and "method" not in message)
        else:
            self._wait(
                lambda message: (
                    message.get("method") == PUBLISH
                    and message["params"].get("version", self._version) == self._version
                )
            )

    def wait(self, version: int | None = None) -> int:
        """Publications up to the one of `version` (default: the latest); how many came."""
        wanted = version or self._version
        before = len(self._client.passed)
        self._wait(
            lambda message: (
                message.get("method") == PUBLISH and message["params"].get("version") == wanted
            )
        )
        passed = self._client.passed[before:]
        return sum(message.get("method") == PUBLISH for message in passed)

    def close(self) -> None:
        """Shut the server down in order, and kill one that does not end."""
        with self._client, contextlib.suppress(EOFError, OSError, subprocess.TimeoutExpired):
            self._client.shut_down(5)

    def _wait(self, wanted: Callable[[Any], bool]) -> None:
        self._client.wait(wanted, LONGEST_SECONDS)


def typing_latencies(editor: Editor, text: str, changes: int) -> list[float]:
    """Milliseconds from a change to its publication, one change at a time."""
    seconds = []
    for number in range(changes):
        # Longer than the server waits within a burst: this is the price of a single key.
        time.sleep(0.08)
        begin = time.perf_counter()
        editor.change(text + " " * (number % 2))
        editor.wait()
        seconds.append((time.perf_counter() - begin) * 1000)
    return seconds


def burst(editor: Editor, text: str, keys: int = 30, pause: float = 0.02) -> tuple[int, float]:
    """Publications for a burst of keys, and milliseconds from the last key to the last of them."""
    time.sleep(0.1)
    for number in range(keys):
        editor.change(text + " " * (number % 2))
        time.sleep(pause if number < keys - 1 else 0)
    last = time.perf_counter()
    count = editor.wait()
    return count, (time.perf_counter() - last) * 1000


def sample(lines: int) -> str:
    """A devcontainer.json of about `lines` lines with a weak setting in several places."""
    extensions = "\n".join(f'        "publisher.extension{n}", // why' for n in range(lines - 22))
    return f"""{{
  // A devcontainer.json as they are found.
  "name": "benchmark",
  "image": "mcr.microsoft.com/devcontainers/base:bookworm",
  "privileged": true,
  "capAdd": ["SYS_ADMIN", "SYS_PTRACE"],
  "securityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
  "runArgs": ["--network=host", "--pid", "host", "-v", "/:/host"],
  "mounts": [
    "source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind",
    "source=${{localEnv:HOME}}/.ssh,target=/root/.ssh,type=bind"
  ],
  "customizations": {{
    "vscode": {{
      "extensions": [
{extensions}
      ]
    }}
  }},
  "postCreateCommand": "make"
}}
"""
