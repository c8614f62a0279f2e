#!/usr/bin/env python3
"""Measure editors' other servers for the same files, beside ours, in one run.

    benchmarks/language_servers.py [--rounds N] [--changes N] [--json]

The others come from npm, by exact versions, into `.dev/language-servers`; nothing is installed
elsewhere. Servers take turns, so that a busy machine slows all alike: read the columns against
each other. A change toggles a finding, and comes when the one before has been answered.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import processes
from editor import Editor, sample

FOLDER = Path(__file__).resolve().parents[1] / ".dev" / "language-servers"
PACKAGES = (
    "vscode-langservers-extracted@4.10.0",
    "yaml-language-server@1.25.0",
    "dockerfile-language-server-nodejs@0.15.0",
)
_BIN = FOLDER / "node_modules" / ".bin"


class Document(NamedTuple):
    """A file and two contents of it; all servers get the same."""

    uri: str
    language: str
    one: str
    other: str


class Server(NamedTuple):
    name: str
    command: list[str]
    document: Document
    pulls: bool = False


class Measured(NamedTuple):
    """Milliseconds, and MiB of the process that the editor started."""

    start: float
    first: float
    changes: list[float]
    memory: float | None


def documents() -> tuple[Document, Document, Document]:
    """A devcontainer.json, a Compose file and a Dockerfile of about 200 lines."""
    dev = sample(200)
    lines = "".join(f"      KEY_{n}: value\n" for n in range(12))
    services = "".join(
        f"  s{n}:\n    image: x:{n}\n    volumes: [./d{n}:/d]\n    environment:\n{lines}"
        for n in range(12)
    )
    compose = f"services:\n{services}"
    docker = "FROM debian:12\n" + "".join(f"RUN echo {n} && true\n" for n in range(198))
    folder = "file:///benchmark"
    return (
        Document(f"{folder}/.devcontainer/devcontainer.json", "jsonc", dev, dev[:-3] + ",,}}\n"),
        Document(
            f"{folder}/compose.yaml", "yaml", compose, compose + "  t:\n    privileged: true\n"
        ),
        Document(f"{folder}/Dockerfile", "dockerfile", docker, docker + "USER root\nCOPYY a b\n"),
    )


def servers() -> list[Server]:
    dev, compose, docker = documents()
    ours = [processes.SCRIPT, "lsp", "--stdio"]

    def node(name: str) -> list[str]:
        return [str(_BIN / name), "--stdio"]

    return [
        Server("sandboxd, devcontainer.json", ours, dev),
        Server("vscode-json, push", node("vscode-json-language-server"), dev),
        Server("vscode-json, pull", node("vscode-json-language-server"), dev, True),
        Server("sandboxd, Compose file", ours, compose),
        Server("yaml-language-server", node("yaml-language-server"), compose),
        Server("sandboxd, Dockerfile", ours, docker),
        Server("dockerfile-language-server", node("docker-langserver"), docker),
        Server("sandboxd without a daemon", [*ours, "--no-daemon"], dev),
    ]


def measure(server: Server, environ: dict[str, str], changes: int) -> Measured:
    """One session from its start to its end."""
    document = server.document
    begin = time.perf_counter()
    session = Editor(server.command, environ, document.uri, document.language, pulls=server.pulls)
    try:
        session.initialize()
        start = (time.perf_counter() - begin) * 1000
        begin = time.perf_counter()
        session.open(document.one)
        first = (time.perf_counter() - begin) * 1000
        time.sleep(0.7)  # what comes late, like the host's facts, is not of a change
        seconds = []
        for number in range(changes):
            time.sleep(0.08)
            begin = time.perf_counter()
            session.change(document.other if number % 2 == 0 else document.one)
            session.shown()
            seconds.append((time.perf_counter() - begin) * 1000)
        memory = processes.resident(session.process.pid)
    finally:
        session.close()
    return Measured(start, first, seconds, memory)


def table(measurements: dict[str, list[Measured]]) -> str:
    lines = [
        "server                         start  first publish  change p50  change p95   MiB",
    ]
    for name, rounds in measurements.items():
        seconds = sorted(value for measured in rounds for value in measured.changes)
        memory = [m.memory for m in rounds if m.memory is not None]
        lines.append(
            f"{name:28} {statistics.median(m.start for m in rounds):7.0f} "
            f"{statistics.median(m.first for m in rounds):14.1f} "
            f"{statistics.median(seconds):11.2f} {seconds[int(len(seconds) * 0.95)]:11.2f} "
            f"{statistics.median(memory) if memory else 0:5.0f}"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="sessions of each server")
    parser.add_argument("--changes", type=int, default=40, help="changes in each session")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    args = parser.parse_args()
    if not all((_BIN / name).exists() for name in ("yaml-language-server", "docker-langserver")):
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run([*command, "--prefix", str(FOLDER), *PACKAGES], check=True)
    measurements: dict[str, list[Measured]] = {}
    with tempfile.TemporaryDirectory(prefix="sbx-bench-") as folder:
        environ = processes.user(Path(folder))
        warm = Editor([processes.SCRIPT, "lsp"], environ)  # starts the daemon, which goes on
        warm.initialize()
        warm.close()
        try:
            for _ in range(args.rounds):
                for server in servers():
                    measured = measure(server, environ, args.changes)
                    measurements.setdefault(server.name, []).append(measured)
        finally:
            subprocess.run([processes.SCRIPT, "daemon", "stop"], env=environ, check=False)
    if args.json:
        print(
            json.dumps(
                {name: [m._asdict() for m in rounds] for name, rounds in measurements.items()}
            )
        )
    else:
        print(table(measurements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
