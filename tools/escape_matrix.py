"""Write docs/escape-matrix.md from live runs, or with `--check` say how it differs from them.

Every attempt of `sandboxd verify` is made in each of a row of sandboxes, on the engine that
DOCKER_HOST names or on a private one. Outcomes only: no times, no addresses.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sandboxd.backends.docker.attack import verify
from sandboxd.egress import verify_marks
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Rule
from sandboxd.engine.client import Engine, connect_from
from sandboxd.files import write_atomic
from sandboxd.host import addresses
from sandboxd.host.facts import HostFacts
from sandboxd.life import up_down
from sandboxd.life.find import sandboxes_of_up
from sandboxd.model.engine_answers import CreateRequest
from sandboxd.plan.plan import Plan
from sandboxd.verify import attempts
from sandboxd.verify.verdict import Verdict
from tests.e2e import sandboxes
from tests.e2e.sandboxes import ROOT, UNCONFINED, Change, bind, capability, host_config
from tests.rights import push
from tools.engine import private
from tools.private_engine import import_busybox_image

PAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs")
PAGE = os.path.join(PAGE, "escape-matrix.md")
_SIGNS = {
    "held": "·",
    "escaped": "**E**",
    "residual": "o",
    "not-applicable": " ",
    "inconclusive": "?",
}


class Sandbox(NamedTuple):
    """A column: a plan of ours, changed, or with no profile a plain `docker run`."""

    name: str
    about: str
    runtime: str
    profile: str = ""
    changes: tuple[Change, ...] = ()
    broken: Callable[[Engine, Plan], None] | None = None
    """Started by `up`, behind a gateway; this breaks it before it is attacked, by its plan."""


def _nothing(_api: Engine, _plan: Plan) -> None:
    pass


def _second_network(api: Engine, plan: Plan) -> None:
    (container,) = sandboxes_of_up(api, plan.workspace)
    api.connect_network("bridge", container.id)


def _wide_policy(api: Engine, plan: Plan) -> None:
    assert plan.egress is not None
    denied = Rule(pattern(f"*.{verify_marks.DENIED}"), (80, 443))
    push(api, plan.workspace, plan.egress._replace(rules=(*plan.egress.rules, denied)))


def _socket(body: dict[str, object]) -> None:
    bind(os.environ["DOCKER_HOST"].removeprefix("unix://"), "/var/run/docker.sock")(body)


_PRIVILEGED = host_config(Privileged=True)
_HOST_UDS = host_config(Annotations={"dev.gvisor.flag.host-uds": "open"})
_EVERYTHING = (capability("SYS_ADMIN"), UNCONFINED, ROOT)

SANDBOXES = (
    Sandbox("plain", "`docker run -v PROJECT:/code IMAGE`", "runc"),
    Sandbox("dev", "profile `dev`, by `up`: names through a gateway", "runc", "dev", (), _nothing),
    Sandbox("open", "profile `dev` as Compose starts it: an open network", "runc", "dev"),
    Sandbox(
        "second", "`dev` by `up`, joined to a second network", "runc", "dev", (), _second_network
    ),
    Sandbox(
        "loose", "`dev` by `up`, its gateway given a wide policy", "runc", "dev", (), _wide_policy
    ),
    Sandbox("agent", "profile `agent`, by grant", "runc", "agent"),
    Sandbox("review", "profile `review`, by grant", "runc", "review"),
    Sandbox("seed", "profile `seed-baseline`", "runc", "seed-baseline"),
    Sandbox("priv", "`dev` with `--privileged`, as root", "runc", "dev", (_PRIVILEGED, ROOT)),
    Sandbox("sysadm", "`dev` with SYS_ADMIN, no seccomp, as root", "runc", "dev", _EVERYTHING),
    Sandbox(
        "pid",
        "`dev` with `--pid=host` and SYS_PTRACE, as root",
        "runc",
        "dev",
        (host_config(PidMode="host"), capability("SYS_PTRACE"), ROOT),
    ),
    Sandbox(
        "net", "`dev` with `--network=host`", "runc", "dev", (host_config(NetworkMode="host"),)
    ),
    Sandbox("sock", "`dev` with the engine's socket, as root", "runc", "dev", (_socket, ROOT)),
    Sandbox("plain", "`docker run --runtime=runsc -v PROJECT:/code IMAGE`", "runsc"),
    Sandbox(
        "dev", "profile `dev`, by `up`: names through a gateway", "gvisor", "dev", (), _nothing
    ),
    Sandbox(
        "stock",
        "`dev` as planned, started by stock `runsc`",
        "gvisor",
        "dev",
        (host_config(Runtime="runsc"),),
    ),
    Sandbox("agent", "profile `agent`", "gvisor", "agent"),
    Sandbox("untr", "profile `untrusted`", "gvisor", "untrusted"),
    Sandbox("priv", "`dev` with `--privileged`, as root", "gvisor", "dev", (_PRIVILEGED, ROOT)),
    Sandbox(
        "uds",
        "`dev` with the engine's socket and `host-uds=open`, as root",
        "gvisor",
        "dev",
        (_socket, _HOST_UDS, ROOT),
    ),
)
_LETTERS = {"runc": "r", "runsc": "g", "gvisor": "g"}


def label(sandbox: Sandbox) -> str:
    return f"{_LETTERS[sandbox.runtime]}:{sandbox.name}"


Outcomes = Mapping[str, Mapping[str, str]]


def measure(api: Engine, image: str, say: Callable[[str], None]) -> dict[str, dict[str, str]]:
    """Column -> attempt -> outcome, live."""
    facts = sandboxes.facts_of(api.host)
    outcomes = {}
    # With a neighbour on the engine's network, whether it can be reached is the same each time.
    neighbour = api.create(
        f"sandboxd-matrix-{secrets.token_hex(4)}", {"Image": image, "Cmd": ["sleep", "3600"]}
    )
    try:
        api.start(neighbour)
        for sandbox in SANDBOXES:
            verdict = _attack(api, image, sandbox, facts)
            outcomes[label(sandbox)] = {r.id: str(r.outcome) for r in verdict.results}
            say(f"{label(sandbox)}: {len(verdict.of('escaped'))} escaped")
    finally:
        api.remove(neighbour)
    return outcomes


def _attack(api: Engine, image: str, sandbox: Sandbox, facts: HostFacts) -> Verdict:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="sandboxd-matrix-") as folder:
        os.chmod(folder, 0o755)
        workspace = Path(folder, "project")
        if sandbox.profile:
            chosen = (sandbox.runtime, sandbox.profile)
            sandboxes.make_project(workspace, image, *chosen, granted=False)
            if sandbox.broken is not None:
                return _attack_by_up(api, workspace, facts, sandbox.broken)
            return sandboxes.attack(api, workspace, facts, *sandbox.changes)
        sandboxes.make_project(workspace, image, "auto")
        body: CreateRequest = {
            "Image": image,
            "Cmd": ["sleep", "600"],
            "HostConfig": {"Runtime": sandbox.runtime, "Binds": [f"{workspace}:/code"]},
        }
        container = api.create(f"sandboxd-matrix-{secrets.token_hex(4)}", body)
        try:
            api.start(container)
            return verify(api, container)
        finally:
            api.remove(container)


def _attack_by_up(
    api: Engine, workspace: Path, facts: HostFacts, broken: Callable[[Engine, Plan], None]
) -> Verdict:
    plan = sandboxes.plan_of(workspace, facts)
    running = sandboxes.up(api, plan, lambda _text: None)
    try:
        broken(api, plan)
        return verify(api, running.id, plan)
    finally:
        up_down.down(api, plan.workspace, lambda _text: None, discard=True)


def render(by_column: Outcomes, environment: str) -> str:
    """The page."""
    columns = [label(sandbox) for sandbox in SANDBOXES]
    lines = [
        f"<!-- Made by `python -m tools.escape_matrix` from live runs on: {environment} -->",
        "",
        "# Escape matrix",
        "",
        "Every attempt of `sandboxd verify`, made in sandboxes that are meant to hold and in some that",
        "are not, and judged by its effect on the host (decision 11). `·` held, **E** escaped, `o` open",
        "on purpose and declared by the profile, `?` could not be shown, empty: nothing to try.",
        f"Seen on {environment}.",
        "",
        "| column | runtime | sandbox | escaped | open on purpose |",
        "|---|---|---|---|---|",
    ]
    for sandbox in SANDBOXES:
        outcomes = list(by_column[label(sandbox)].values())
        runtime = "gVisor" if sandbox.runtime != "runc" else "runc"
        lines.append(
            f"| {label(sandbox)} | {runtime} | {sandbox.about} | {outcomes.count('escaped')} "
            f"| {outcomes.count('residual')} |"
        )
    lines += ["", f"| attempt | {' | '.join(columns)} |", "|---|" + ":-:|" * len(columns)]
    for attempt in attempts.load():
        cells = " | ".join(_SIGNS[by_column[column][attempt.id]] for column in columns)
        lines.append(f"| {attempt.id} | {cells} |")
    lines += ["", "## The attempts", "", "| attempt | what is tried | judged by |", "|---|---|---|"]
    lines += [f"| {a.id} | {a.title} | {a.judge} |" for a in attempts.load()]
    return "\n".join(lines) + "\n"


def parse(text: str) -> tuple[str, dict[str, dict[str, str]]]:
    """The environment and the outcomes of a page."""
    environment = text.partition("live runs on: ")[2].partition(" -->")[0]
    signs = {sign.strip(): outcome for outcome, sign in _SIGNS.items()}
    outcomes: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "attempt" and ":" in cells[1]:
            columns = cells[1:]
            outcomes = {column: {} for column in columns}
        elif not line.startswith("|"):
            columns = []
        elif columns and not cells[0].startswith("-"):
            for column, cell in zip(columns, cells[1:], strict=True):
                outcomes[column][cells[0]] = signs[cell]
    return environment, outcomes


def differences(before: Outcomes, after: Outcomes, same_machine: bool) -> list[str]:
    """What differs. What a kernel has at all is another machine's own; what escapes from us is not."""
    lines = []
    for sandbox in SANDBOXES:
        column = label(sandbox)
        is_broken = sandbox.changes or sandbox.broken not in (None, _nothing)
        if not same_machine and (not sandbox.profile or is_broken):
            continue
        old, new = before.get(column, {}), after[column]
        for name in {**old, **new}:
            pair = (old.get(name, "missing"), new.get(name, "missing"))
            if pair[0] != pair[1] and (same_machine or "escaped" in pair or "missing" in pair):
                lines.append(f"{column} {name}: the page says {pair[0]}, it is {pair[1]}")
    return lines


def environment(api: Engine) -> str:
    """What an outcome may depend on: kernel, processor, engine, gVisor build, the filter of packets."""
    kernel = ".".join(os.uname().release.split(".")[:2])
    info = api.info()
    path = ((info.get("Runtimes") or {}).get("runsc") or {}).get("path") or "runsc"
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    build = re.search(r"release-\d{8}|\d{8}", done.stdout)
    machine = f"Linux {kernel} {platform.machine()}, Docker {info.get('ServerVersion')}"
    runsc = f"runsc {build[0] if build else 'of an unknown build'}"
    # Where it is off, packets that are bound to a device reach the host behind a gateway, too.
    on = {None: "unknown", False: "off", True: "on"}[addresses.reverse_path_filter()]
    return f"{machine}, {runsc}, rp_filter {on}"


@contextlib.contextmanager
def _engine() -> Iterator[Engine]:
    if os.environ.get("DOCKER_HOST"):
        yield connect_from(os.environ)
        return
    private.sweep()
    started = private.start(f"matrix-{os.getpid()}", owner=os.getpid())
    os.environ["DOCKER_HOST"] = started.docker_host
    try:
        yield connect_from(os.environ)
    finally:
        private.stop(started.folder)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="escape_matrix", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if it differs"
    )
    options = parser.parse_args(arguments)
    with _engine() as api:
        outcomes = measure(
            api, import_busybox_image(api.host), lambda line: print(line, flush=True)
        )
        here = environment(api)
    if not options.check:
        write_atomic(PAGE, render(outcomes, here).encode())
        return 0
    there, before = parse(Path(PAGE).read_text(encoding="utf-8"))
    wrong = differences(before, outcomes, here == there)
    print("\n".join(wrong) or "docs/escape-matrix.md is what the runs say")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
