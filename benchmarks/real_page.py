"""The page of what came of the lives of real projects."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from datetime import date

from real_life import STEPS, Project, Step

Results = dict[str, dict[str, list[Step]]]
TITLES = {"runc": "runc", "gvisor": "gVisor", "reference": "dev container CLI"}
_ABSENT = {
    "check": "-",
    "init": "-",
    "server": "opens none",
    "review": "-",
}
"""Of the reference client: it has no such command."""

_HEAD = """\
# Real projects, from clone to `down`

Written by `benchmarks/real_projects.py --write docs/real-projects.md`. {day}, {processors} processors, {system}.

Public repositories, each at one commit, named before the work began; nothing of them is kept here. Each is
cloned and lived in by what a person types: `sandboxd check`, `init`, `up` with its hooks, its tests by `exec`,
its server opened at 127.0.0.1 by `forward`, a commit made inside, the same in a private copy brought by
`review --save`, `down`. It has the profile `dev` and its gateway; packages come from the real registries by
name. {passed} of {all} steps did what they should.

The dev container CLI does the same with the same image, as far as it has commands for it: it asks an engine
without a gateway or any confinement, opens no port, reviews nothing, and its containers are removed by hand.

Seconds of one run each, with other work on the machine: they say what a person waits for, not which is faster
(that is [benchmarks.md](benchmarks.md)). The first `up` of all also makes the gateway's image. **no** is a step that failed, with its words below.
"""


def render(projects: list[Project], results: Results) -> str:
    """The page, of those that were measured."""
    measured = [each for each in projects if each.name in results]
    own = [
        step
        for each in measured
        for way, steps in results[each.name].items()
        if way != "reference"
        for step in steps
    ]
    head = _HEAD.format(
        day=date.today().isoformat(),
        processors=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        passed=sum(not step.fault for step in own),
        all=len(own),
    )
    parts = [head, "\n".join(_table(measured, results))]
    if absent := list(_absent(projects, results)):
        parts.append(f"Not measured: {'; '.join(absent)}.")
    if faults := list(_faults(measured, results)):
        parts.append("## What did not work\n\n" + "\n".join(faults))
    parts.append("## What stands in for what\n\n" + "\n".join(_stand_ins(measured)))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _absent(projects: list[Project], results: Results) -> Iterator[str]:
    for project in projects:
        ways = [name for way, name in TITLES.items() if way not in results.get(project.name, {})]
        if ways:
            yield f"{project.name} by {', '.join(ways)}"


def _table(projects: list[Project], results: Results) -> Iterator[str]:
    yield "| project | by | " + " | ".join(STEPS) + " |"
    yield "|---|---" + "|---" * len(STEPS) + "|"
    for project in projects:
        title = f"{project.name} ({project.kind})"
        for way in (way for way in TITLES if way in results[project.name]):
            steps = {step.name: step for step in results[project.name][way]}
            absent = {} if project.serve else {"server": "has none"}
            cells = [absent.get(name) or _cell(name, steps, way) for name in STEPS]
            yield f"| {title} | {TITLES[way]} | " + " | ".join(cells) + " |"
            title = ""


def _cell(name: str, steps: dict[str, Step], way: str) -> str:
    if name == "hooks":
        up = steps.get("up")
        return "" if up is None or up.fault or way == "reference" else up.note
    step = steps.get(name)
    if step is None:
        return _ABSENT.get(name, "") if way == "reference" else "not reached"
    return "**no**" if step.fault or step.seconds is None else f"{step.seconds:.1f}"


def _faults(projects: list[Project], results: Results) -> Iterator[str]:
    for project in projects:
        for way in (way for way in TITLES if way in results[project.name]):
            for step in results[project.name][way]:
                if step.fault:
                    yield f"- {project.name}, {TITLES[way]}, {step.name}: {step.fault}"


def _stand_ins(projects: list[Project]) -> Iterator[str]:
    yield "- Every image: one of Debian packages with the tools of all of these languages, under the image's name."
    yield from (f"- {each.name}: {each.stands_in}." for each in projects if each.stands_in)
