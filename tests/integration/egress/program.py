"""The gateway's program, started as in its container, and the host's end of its control channel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from sandboxd.egress.policy import Policy
from sandboxd.egress.wire import policy_to_json
from tests.integration.egress.namespaces import INTERNET, PLACE, Namespaces
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
CAPABILITIES = "-all,+net_admin,+net_raw,+setuid,+setgid"
# Its own mount namespace gives it a name server; its rights are those of the container.
_START = """
mount --bind "$1" /etc/resolv.conf && ulimit -n "$2" && shift 2 &&
exec setpriv {rights} --inh-caps -all --no-new-privs "$@"
"""
Event = dict[str, Any]


class Program:
    """One running gateway. Events are read by a thread, as the daemon does."""

    rights = f"--bounding-set {CAPABILITIES}"
    command: tuple[str, ...] = (
        sys.executable,
        "-s",
        "-m",
        "sandboxd.egress.gateway.main",
        PLACE.gateway,
        PLACE.subnet,
    )
    variables: ClassVar[dict[str, str]] = {"PYTHONPATH": str(ROOT)}
    resolv_lines = ""

    def __init__(
        self, namespaces: Namespaces, folder: Path, files: int = 8192, server: str = INTERNET
    ) -> None:
        resolv = folder / "resolv.conf"
        resolv.write_text(f"nameserver {server}\n{self.resolv_lines}")
        script = _START.format(rights=self.rights)
        words = [
            "ip",
            "netns",
            "exec",
            namespaces.gateway,
            "unshare",
            "-m",
            "sh",
            "-c",
            script,
            "sh",
        ]
        words += [str(resolv), str(files)]
        self.errors = (folder / "errors.txt").open("wb")
        self.process = subprocess.Popen(
            [*words, *self.command], cwd=ROOT, stderr=self.errors,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **self.variables},
        )  # fmt: skip
        self.events: list[Event] = []
        self.version = 0
        self._changed = threading.Condition()
        self._paused = threading.Event()
        self._paused.set()
        threading.Thread(target=self._read, daemon=True).start()
        self.ready = self.wait(lambda event: event["event"] == "ready")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def send(self, command: object) -> None:
        self.send_line(json.dumps(command).encode())

    def send_line(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def set(self, policy: Policy, cut: bool = False) -> Event:
        """Have it follow `policy`; what it answers."""
        self.version += 1
        version, after = self.version, self.last
        fields = policy_to_json(policy._replace(version=version))
        self.send({"op": "policy", "policy": fields, "cut": cut})
        return self.wait(lambda event: event.get("version") == version, after)

    @property
    def last(self) -> int:
        """The number of the last event so far."""
        with self._changed:
            return self.events[-1]["seq"] if self.events else 0

    def rested(self) -> int:
        """`last`, once each attempt is reported again: the gateway counts only after fifty in a second."""
        while True:
            with self._changed:
                latest = [
                    e["time"] for e in self.events[-40:] if e["event"] in ("denied", "reached")
                ]
            if sum(time.time() - at < 2 for at in latest) < 20:
                return self.last
            time.sleep(0.1)

    def wait(self, wanted: Callable[[Event], bool], after: int = 0) -> Event:
        """The first event after the number `after` that is wanted."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                for event in self.events:
                    if event["seq"] > after and wanted(event):
                        return event
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise AssertionError(f"no such event in {self.events[-20:]}")
                self._changed.wait(min(left, 1.0))

    def denied(self, name: str, reason: str, after: int = 0) -> Event:
        """Waits until it has reported that."""
        return self.wait(
            lambda event: (
                (event["event"], event.get("name"), event.get("reason")) == ("denied", name, reason)
            ),
            after,
        )

    def stop_reading(self) -> None:
        self._paused.clear()

    def go_on_reading(self) -> None:
        self._paused.set()

    def status(self) -> dict[str, str]:
        """/proc/PID/status, with what the kernel says about the rights of the process."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
            self._paused.wait()
