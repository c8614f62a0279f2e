"""`setup gvisor --verify`: containers with each of our runtimes, their kernel, and every attack."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.errors import EXIT_ENVIRONMENT, EXIT_NOT_HELD, EXIT_OK, EnvironmentFailure
from sandboxd.terminal import GREEN, RED, paint, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.setup.register import EngineConfig
    from sandboxd.verify.verdict import Verdict


def verify(place: EngineConfig, image: str | None) -> int:
    """Show that our runtimes are gVisor, then attack a sandbox under each."""
    from sandboxd.engine.contexts import resolve
    from sandboxd.host.probe import probe
    from sandboxd.life.throwaway_image import busybox_image
    from sandboxd.setup.register import trials

    if place.control.info() is None:
        raise EnvironmentFailure(
            f"the engine at `{place.control.host}` does not answer",
            "start it, then run this again",
        )
    outcomes = trials(place)
    for name, (usable, detail) in outcomes.items():
        mark = paint("gVisor", GREEN) if usable else paint("not usable", RED)
        print(f"{name}: {mark}: {printable(detail)}")
    if not all(usable for usable, _ in outcomes.values()):
        terminal.status("hint: `sudo sandboxd setup gvisor --apply` registers them")
        return EXIT_ENVIRONMENT
    environ = {**os.environ, "DOCKER_HOST": place.control.host}
    facts = probe(environ, trial=True)
    with contextlib.ExitStack() as stack:
        tag = image or stack.enter_context(busybox_image(resolve(environ)))
        codes = [_attack(only(facts, name), environ, tag, name) for name in outcomes]
    if EXIT_NOT_HELD in codes:
        return EXIT_NOT_HELD
    return EXIT_ENVIRONMENT if any(codes) else EXIT_OK


def only(facts: HostFacts, runtime: str) -> HostFacts:
    """The host as if `runtime` were its only gVisor runtime."""
    engine = facts.engine
    assert engine is not None
    runtimes = tuple(r for r in engine.runtimes if r.name == runtime or not r.gvisor)
    return facts._replace(engine=engine._replace(runtimes=runtimes))


def _attack(facts: HostFacts, environ: dict[str, str], image: str, name: str) -> int:
    from sandboxd.backends.docker.attack import verify as attack
    from sandboxd.engine.client import connect_from
    from sandboxd.life.up_down import down, up
    from sandboxd.project import Project
    from sandboxd.project.rights import rights_of_plan

    engine = connect_from(environ)
    with _workspace(image) as folder:
        plan = Project.open(folder, environ).plan(facts)._replace(lasting=())
        rights = rights_of_plan(plan, environ, time.time())
        running = up(engine, plan, lambda _: None, rights=rights.gateway)
        try:
            verdict = attack(engine, running.id, plan)
        finally:
            down(engine, plan.workspace, lambda _: None)
    _say(name, verdict)
    return verdict.exit_code


def _say(name: str, verdict: Verdict) -> None:
    count, total = len(verdict.of("held")), len(verdict.results)
    bad = [*verdict.of("escaped"), *verdict.of("inconclusive")]
    mark = paint("held", GREEN) if verdict.held else paint("DID NOT HOLD", RED)
    print(f"{name}: {mark}: {count} of {total} attempts held, {len(verdict.of('escaped'))} escaped")
    for result in bad:
        print(f"  {result.id}: {result.outcome}: {printable(result.evidence)}")


@contextlib.contextmanager
def _workspace(image: str) -> Iterator[str]:
    """A small project with every kind of control file, owned by an ordinary user."""
    folder = tempfile.mkdtemp(prefix="sandboxd-verify-")
    try:
        for name in (".devcontainer", ".vscode", ".git/hooks"):
            os.makedirs(os.path.join(folder, name))
        files = {
            ".devcontainer/devcontainer.json": "{}\n",
            ".git/config": "[core]\n\tbare = false\n",
            "sandboxd.toml": f'image = "{image}"\nruntime = "gvisor"\nprofile = "agent"\n',
        }
        for name, text in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        if os.geteuid() == 0:
            for where, folders, names in os.walk(folder):
                for entry in (where, *(os.path.join(where, n) for n in (*folders, *names))):
                    os.chown(entry, 1000, 1000)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
