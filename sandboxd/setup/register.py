"""The steps for daemon.json: back it up, add our runtimes, check that they start."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from sandboxd.errors import EnvironmentFailure
from sandboxd.host import premises
from sandboxd.host.facts import PINS
from sandboxd.host.facts.engine import names_gvisor
from sandboxd.host.facts.nvidia import drivers
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.host.memory import Memory
from sandboxd.host.probe import machine_raw
from sandboxd.host.trials import run_trials
from sandboxd.setup import daemon_json, files, graphics, trial
from sandboxd.setup.daemon_json import Definition
from sandboxd.setup.engine_control import Control, bring_to, knows, reload_and_wait
from sandboxd.setup.step import Say, State, Step

SAFE, FAST = "runsc-sandboxd", "runsc-sandboxd-bind"
NAMES = (SAFE, FAST)
"""The runtimes that we may register. The second, with directfs on, is only needed if the first has to be without it."""

CHANGED_SINCE = "changed-since"
"""A file next to the journal: it records that, when undoing, daemon.json was not as we had written it."""


def definitions(runsc: str, needs: trial.Needs, nvproxy: bool = False) -> dict[str, Definition]:
    """The definitions of our runtimes, with exactly the arguments that trials showed to be needed.

    If read-only folders are safe with directfs on, one runtime is enough.

    :param nvproxy: whether they give access to NVIDIA's devices
    """
    others = [*needs.start_arguments, *([graphics.NVPROXY] if nvproxy else [])]
    holds = [need.argument for need in needs.holds]
    runtimes: dict[str, Definition] = {SAFE: {"path": runsc, "runtimeArgs": [*holds, *others]}}
    if holds:
        runtimes[FAST] = {"path": runsc, "runtimeArgs": others}
    return runtimes


def registered(place: EngineConfig) -> tuple[str, ...]:
    """The names of our runtimes in the engine's config."""
    text = (files.read(place.daemon_json) or b"").decode("utf-8", "replace")
    return tuple(name for name in NAMES if name in daemon_json.definitions(text))


def passes_graphics(place: EngineConfig) -> bool:
    """Whether our first runtime in the engine's config gives access to NVIDIA's devices."""
    text = (files.read(place.daemon_json) or b"").decode("utf-8", "replace")
    definition = daemon_json.definitions(text).get(SAFE)
    return isinstance(definition, dict) and graphics.NVPROXY in (
        definition.get("runtimeArgs") or []
    )


class EngineConfig(NamedTuple):
    """The daemon.json of one engine, and how to control the engine."""

    daemon_json: str
    control: Control


class KeepStep:
    """The first step: back up daemon.json, whatever package scripts do to it later."""

    id = "keep-daemon-json"

    def __init__(self, place: EngineConfig, backup_folder: str, others: Sequence[Step]) -> None:
        """:param others: the steps that may change the file; if all are done, there is nothing to back up"""
        self._place = place
        self._others = others
        self._backup = os.path.join(backup_folder, "daemon.json")
        self._marker = os.path.join(backup_folder, CHANGED_SINCE)
        self.title = f"keep a copy of {place.daemon_json}"

    def shows(self) -> tuple[str, ...]:
        return (f"copy {self._place.daemon_json} to {self._backup}",)

    def is_done(self) -> bool:
        return all(step.is_done() for step in self._others)

    def before(self) -> State:
        return files.snapshot(self._place.daemon_json)

    def do(self, _say: Say) -> State:
        content = files.read(self._place.daemon_json)
        if content is not None and not os.path.exists(self._backup):
            files.write(self._backup, content, 0o600)
        return {}

    def undo(self, state: State, say: Say) -> None:
        if not os.path.exists(self._marker):
            _put_back(self._place, state, say)
            return
        # Changes by the user stay; additions by a package's script are removed.
        before = daemon_json.definitions(_content(state).decode("utf-8", "replace"))
        now = (files.read(self._place.daemon_json) or b"").decode("utf-8", "strict")
        added = tuple(name for name in ("runsc", *NAMES) if name not in before)
        _write(self._place.daemon_json, daemon_json.without(now, added, self._place.daemon_json))


class RegisterStep:
    """The step that adds our runtimes to daemon.json and makes the engine apply it."""

    id = "register"

    def __init__(
        self,
        place: EngineConfig,
        runsc: str,
        backup_folder: str,
        anew: bool = False,
        nvproxy: bool = False,
    ) -> None:
        """:param anew: the registered runtimes were chosen for another build, so they are replaced
        :param nvproxy: they pass NVIDIA's devices on
        """
        self._nvproxy = nvproxy
        self._place = place
        self._runsc = runsc
        self._anew = anew
        self._marker = os.path.join(backup_folder, CHANGED_SINCE)
        self.title = f"register {SAFE} with the engine, and {FAST} where directfs has to be off"

    def shows(self) -> tuple[str, ...]:
        return (
            f"try {self._runsc}: which arguments it needs here",
            f"add `runtimes` {SAFE}, and {FAST} if that needs {trial.DIRECTFS_OFF}, to "
            f"{self._place.daemon_json}",
            *((f"with {graphics.NVPROXY}; {graphics.NOT_GIVEN}",) if self._nvproxy else ()),
            "dockerd --validate, then reload the engine (no container stops)",
        )

    def is_done(self) -> bool:
        return not self._anew and _is_registered(self._place, self._nvproxy)

    def before(self) -> State:
        return files.snapshot(self._place.daemon_json)

    def do(self, say: Say) -> State:
        if self._nvproxy:
            self._say_of_graphics(say)
        needs = trial.find(self._runsc)
        if needs.error:
            raise EnvironmentFailure(
                f"`{self._runsc}` starts no container here: {needs.error}",
                "try a newer one: `--source repository`, or `--binary FILE --sha512 FILE`",
            )
        is_running = self._place.control.info() is not None
        if not needs.holds and not is_running:
            why = "kept: what was tried without an engine is no proof"
            needs = needs._replace(holds=(trial.Need(trial.DIRECTFS_OFF, why),))
        result = self._register(needs, say)
        if not needs.holds and (why := _why_pins_fail(self._place)):
            needs = needs._replace(holds=(trial.Need(trial.DIRECTFS_OFF, why),))
            result = self._register(needs, say)
        for need in (*needs.starts, *needs.holds):
            say(f"  {need.argument}: {need.reason}")
        if not needs.holds:
            say(f"  no {trial.DIRECTFS_OFF}: read-only folders held with directfs on")
        if not is_running:
            say("the engine is not running: it reads its config when it starts")
        return result

    def _say_of_graphics(self, say: Say) -> None:
        """:raises EnvironmentFailure: this machine has no driver of NVIDIA's"""
        facts = from_raw(machine_raw(os.environ))
        graphics.refuse(facts.nvidia)
        assert facts.nvidia is not None
        for line in graphics.words(facts.nvidia, drivers(_supported_drivers(self._runsc))):
            say(f"  {graphics.NVPROXY}: {line}")

    def _register(self, needs: trial.Needs, say: Say) -> State:
        """Write our runtimes into the config, and have a running engine read it."""
        runtimes = definitions(self._runsc, needs, self._nvproxy)
        path = self._place.daemon_json
        before = (files.read(path) or b"").decode("utf-8", "strict")
        absent = tuple(name for name in NAMES if name not in runtimes)
        if before.strip():
            before = daemon_json.without(before, absent, path)
        text = daemon_json.merge(before, runtimes, path)
        _validate(text)
        _write(path, text)
        result: State = {"written": files.digest(text.encode()), "runtimes": runtimes}
        if self._place.control.info() is not None:
            result["how"] = bring_to(self._place.control, runtimes, absent, say)
        return result

    def undo(self, state: State, say: Say) -> None:
        now = files.digest(files.read(self._place.daemon_json))
        ours = (state.get("written"), files.digest(_content(state)))
        if not os.path.exists(self._marker) and (state.get("written") is None or now in ours):
            _put_back(self._place, state, say)
            return
        say(f"{self._place.daemon_json} was changed since: only our runtimes are taken out")
        files.write(self._marker, b"", 0o600)
        text = (files.read(self._place.daemon_json) or b"").decode("utf-8", "strict")
        _write(self._place.daemon_json, daemon_json.without(text, NAMES, self._place.daemon_json))
        if self._place.control.info() is not None:
            _make_engine_forget(self._place, say)


class TrialStep:
    """The step that checks that our runtimes start a container through the engine, with gVisor's kernel."""

    id = "trial"
    title = "start a container with each runtime of ours"

    def __init__(self, place: EngineConfig) -> None:
        self._place = place

    def shows(self) -> tuple[str, ...]:
        return (f"start one throw-away container with {SAFE}, and with {FAST} if it is there",)

    def is_done(self) -> bool:
        # Never remembered, since a trial takes only a second.
        return self._place.control.info() is None or not problems(self._place)

    def before(self) -> State:
        return {}

    def do(self, _say: Say) -> State:
        if self._place.control.info() is None:
            return {}
        reasons = problems(self._place)
        if reasons:
            raise EnvironmentFailure(
                f"the engine cannot start a container with them: {'; '.join(reasons)}",
                "see `journalctl -u docker -n 50`",
            )
        return {}

    def undo(self, _state: State, _say: Say) -> None:
        """Do nothing, as the trial changed nothing."""


def problems(place: EngineConfig) -> list[str]:
    """The reasons why our runtimes are not usable; [] if all were seen to work as gVisor."""
    kernels = trials(place)
    return [f"`{name}`: {why}" for name, (ok, why) in kernels.items() if not ok]


def trials(place: EngineConfig) -> dict[str, tuple[bool, str]]:
    """For each of our runtimes: whether it is gVisor, and the version of its kernel or the error."""
    info = place.control.info() or {}
    offered = info.get("Runtimes") or {}
    outcomes: dict[str, tuple[bool, str]] = {}
    runtimes = []
    for name in registered(place) or (SAFE,):
        entry = offered.get(name)
        if entry is None:
            outcomes[name] = (False, "the engine does not know it")
        else:
            args = entry.get("runtimeArgs") or []
            runtimes.append(
                {"name": name, "path": entry.get("path"), "args": args, "version": None}
            )
    for name, result in run_trials(
        place.control.engine(), info, runtimes, "", Memory(None)
    ).items():
        kernel = str(result.get("kernel") or "")
        own = result.get("boot_id") != result.get("host_boot_id")
        ok = bool(result.get("started")) and own and names_gvisor(kernel)
        outcomes[name] = (ok, kernel if ok else str(result.get("message") or "another kernel"))
    return outcomes


def _why_pins_fail(place: EngineConfig) -> str:
    """The reason why read-only binds do not hold with our first runtime, as observed; '' where they held."""
    info = place.control.info() or {}
    entry = (info.get("Runtimes") or {}).get(SAFE) or {}
    arguments = tuple(entry.get("runtimeArgs") or ())
    subject = premises.Subject(SAFE, str(entry.get("path")), arguments, None, "")
    engine = place.control.engine()
    answer = premises.run(engine, info, [subject], "", Memory(None), None)[SAFE]
    if answer["message"]:
        return f"kept: {answer['message']}"
    verdicts = answer["premises"]
    return "; ".join(verdicts[name]["detail"] for name in PINS if not verdicts[name]["holds"])


def _supported_drivers(runsc: str) -> str:
    """The build's list of supported drivers, as it prints it; '' where it prints nothing."""
    try:
        process = subprocess.run(
            [runsc, "nvproxy", "list-supported-drivers"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout


def _is_registered(place: EngineConfig, nvproxy: bool = False) -> bool:
    """Whether our runtimes are in the config with a program that exists, and the engine has them."""
    text = (files.read(place.daemon_json) or b"").decode("utf-8", "replace")
    table = daemon_json.definitions(text)
    ours = {name: table[name] for name in registered(place)}
    if SAFE not in ours:
        return False
    for definition in ours.values():
        if not isinstance(definition, dict) or not os.path.exists(str(definition.get("path"))):
            return False
        if nvproxy and graphics.NVPROXY not in (definition.get("runtimeArgs") or []):
            return False
    expected = {n: {"runtimeArgs": [], **d} for n, d in ours.items() if isinstance(d, dict)}
    return place.control.info() is None or knows(place.control, expected, ())


def _put_back(place: EngineConfig, state: State, say: Say) -> None:
    """Restore daemon.json byte for byte, and make the engine read it."""
    if files.restore(state) and place.control.info() is not None:
        _make_engine_forget(place, say)


def _make_engine_forget(place: EngineConfig, say: Say) -> None:
    """Let the running engine drop our runtimes.

    On a reload, an engine drops what is missing from `runtimes`, and nothing where that key itself
    is missing: so it is shown an empty one first, and the file is written back at once.
    """
    content = files.read(place.daemon_json)
    text = (content or b"").decode("utf-8", "strict")
    table = daemon_json.definitions(text)
    absent = tuple(name for name in NAMES if name not in table)
    if "runtimes" in text:
        bring_to(place.control, {}, absent, say)
        return
    snapshot = files.snapshot(place.daemon_json)
    try:
        _write(place.daemon_json, daemon_json.with_empty_table(text, place.daemon_json))
        reloaded = reload_and_wait(place.control, absent)
    finally:
        files.restore(snapshot)
    if not reloaded:
        bring_to(place.control, {}, absent, say)


def _content(state: State) -> bytes:
    return base64.b64decode(state["content"]) if state["existed"] else b""


def _write(path: str, text: str) -> None:
    """Write the file with its present owner and mode; a link is followed to its target."""
    path = os.path.realpath(path)
    try:
        status = os.stat(path)
    except FileNotFoundError:
        files.write(path, text.encode(), 0o644)
        return
    files.write(path, text.encode(), status.st_mode & 0o7777, (status.st_uid, status.st_gid))


def _validate(text: str) -> None:
    """Ask dockerd, where it is here, whether it would start with this config."""
    dockerd = shutil.which("dockerd", path=os.defpath + ":/usr/sbin:/sbin:/usr/local/bin")
    if dockerd is None:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        process = subprocess.run(
            [dockerd, "--validate", f"--config-file={file.name}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    message = " ".join((process.stderr or process.stdout).split())
    if process.returncode and "unknown flag" not in message:
        raise EnvironmentFailure(
            f"dockerd refuses the config: {message[-300:]}", "correct daemon.json first"
        )
