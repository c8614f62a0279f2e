"""Makes the engine read its config again, and waits until it answers.

A reload (SIGHUP) is enough for runtimes and stops nothing. If it fails, the engine is restarted, but only if that stops
no container or the user agreed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandboxd.deadline import looks_within
from sandboxd.engine.client import Engine, connect
from sandboxd.engine.contexts import Identity
from sandboxd.engine.failures import EngineFailure
from sandboxd.errors import EnvironmentFailure
from sandboxd.setup import programs
from sandboxd.setup.daemon_json import Definition
from sandboxd.setup.step import Say

_PID_FILES = ("/var/run/docker.pid", "/run/docker.pid")


class Control(NamedTuple):
    """The commands that control one engine. An empty one stands for that of this machine's init system."""

    host: str
    reload_command: tuple[str, ...] = ()
    restart_command: tuple[str, ...] = ()
    may_restart: bool = False
    wait_seconds: float = 30.0

    def engine(self) -> Engine:
        """A client for the engine; its requests time out after at most 5 s, or `wait_seconds` if that is less."""
        return connect(Identity(self.host), min(5.0, max(1.0, self.wait_seconds)))

    def info(self) -> dict[str, Any] | None:
        """The engine's `/info`; None if it does not answer."""
        with contextlib.suppress(EngineFailure):
            return self.engine().info()
        return None

    def running(self) -> list[str]:
        """Names of the running containers."""
        with contextlib.suppress(EngineFailure):
            return [container.name for container in self.engine().containers(every=False)]
        return []


def reload(control: Control) -> str:
    """Ask the engine to read its config again; return '', or the reason why that failed."""
    command = control.reload_command or _systemctl("reload")
    if command:
        return _run(command)
    for path in _PID_FILES:
        with contextlib.suppress(OSError, ValueError):
            with open(path, encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGHUP)
            return ""
    return "there is neither systemd nor a pid file of the engine"


def restart(control: Control) -> str:
    """Restart the engine; return '', or the reason why that failed."""
    command = control.restart_command or _systemctl("restart") or _service("restart")
    if not command:
        return "there is no service manager that could restart the engine"
    return _run(command)


def knows(control: Control, runtimes: Mapping[str, Definition], absent: tuple[str, ...]) -> bool:
    """Whether the engine answers, and offers exactly these definitions of `runtimes` and none of the runtimes
    `absent`.
    """
    info = control.info()
    if info is None:
        return False
    offered = info.get("Runtimes") or {}
    same = all(
        (offered.get(name) or {}).get("path") == definition["path"]
        and ((offered.get(name) or {}).get("runtimeArgs") or []) == definition["runtimeArgs"]
        for name, definition in runtimes.items()
    )
    return same and not any(name in offered for name in absent)


def bring_to(
    control: Control, runtimes: Mapping[str, Definition], absent: tuple[str, ...], say: Say
) -> str:
    """Make the running engine apply its config; return how: ``reload`` or ``restart``.

    :param runtimes: the definitions that it has to offer then
    :param absent: names of runtimes that it must not offer then
    :param say: called with each message for the user
    :raises EnvironmentFailure: it did not come back in time, or must not be restarted
    """
    problem = reload(control)
    if not problem and _within(control, runtimes, absent, _reload_seconds(control)):
        return "reload"
    info, running = control.info(), control.running()
    if info is not None and running and not info.get("LiveRestoreEnabled"):
        if not control.may_restart:
            raise EnvironmentFailure(
                f"the engine has to be restarted ({problem or 'a reload changed nothing'}), which "
                f"stops {len(running)} containers: {', '.join(sorted(running))}",
                'add `--restart`, or set `"live-restore": true` in daemon.json first',
            )
        say(f"the restart stops: {', '.join(sorted(running))}")
    say("restarting the engine")
    second = restart(control)
    if second:
        raise EnvironmentFailure(
            f"the engine cannot be made to read its config: {problem or 'reload changed nothing'}; "
            f"{second}",
            "restart it by hand, then run the command again",
        )
    if not _within(control, runtimes, absent, control.wait_seconds):
        raise EnvironmentFailure(
            f"the engine did not come back within {control.wait_seconds:g} s",
            "see `journalctl -u docker -n 50`",
        )
    return "restart"


def reload_and_wait(control: Control, absent: tuple[str, ...]) -> bool:
    """Reload the config; return whether that sufficed for the engine to no longer offer `absent`."""
    return not reload(control) and _within(control, {}, absent, _reload_seconds(control))


def _reload_seconds(control: Control) -> float:
    return min(control.wait_seconds, 5.0)


def _within(
    control: Control,
    runtimes: Mapping[str, Definition],
    absent: tuple[str, ...],
    seconds: float,
) -> bool:
    for _ in looks_within(seconds):
        if knows(control, runtimes, absent):
            return True
        time.sleep(0.1)
    return False


def _systemctl(action: str) -> tuple[str, ...]:
    if shutil.which("systemctl") is None or not os.path.isdir("/run/systemd/system"):
        return ()
    return ("systemctl", action, "docker")


def _service(action: str) -> tuple[str, ...]:
    return ("service", "docker", action) if shutil.which("service") else ()


def _run(command: tuple[str, ...]) -> str:
    """Run `command`; the reason why it failed, in words, or ''."""
    try:
        code, output = programs.run(command, 120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"`{' '.join(command)}` failed: {error}"
    return f"`{' '.join(command)}` failed: {programs.last_words(code, output)}" if code else ""
