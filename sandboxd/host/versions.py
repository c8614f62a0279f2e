"""Versions with known ways out, as data: each number was read in the original named as its source.

A number says what upstream released. A distribution repairs under its own numbers, so for its
packages an old number is a question, not a verdict; a kernel whose number tells nothing of its
repairs is not judged at all. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.host.known_escapes import ESCAPES

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.host.known_escapes import Escape

LABELS = {
    "runc": "runc",
    "containerd": "containerd",
    "engine": "Docker Engine",
    "docker-desktop": "Docker Desktop",
    "buildkit": "BuildKit",
    "kernel": "Linux",
    "runsc": "runsc",
}

Number = tuple[tuple[int, ...], int, int]
"""Numbers, then 0 for a release candidate and 1 for the release, then the candidate's number."""


class Warned(NamedTuple):
    """A component of this host in a version that a known escape works on.

    `repackaged`: the version is a distribution's, which may hold the repair under the old number.
    """

    component: str
    version: str
    escape: Escape
    repackaged: bool

    @property
    def message(self) -> str:
        """One line for people."""
        escape = self.escape
        maybe = ", or in the distribution's package under this number" if self.repackaged else ""
        condition = f" ({escape.condition})" if escape.condition else ""
        return (
            f"{LABELS[self.component]} {self.version}: {', '.join(escape.ids)}: {escape.what}"
            f"{condition}; repaired in {repair(escape, self.version)} of {escape.date}{maybe}"
        )


def warnings(facts: HostFacts) -> tuple[Warned, ...]:
    """The known escapes that this host's versions do not exclude.

    Those without a condition first, then the newest first.
    """
    results = []
    for component, version in versions(facts):
        for escape in ESCAPES:
            if escape.component == component and affects(escape, version, facts.system):
                repackaged = component != "kernel" and is_repackaged(version)
                results.append(Warned(component, version, escape, repackaged))
    results.sort(key=lambda warned: warned.escape.date, reverse=True)
    results.sort(key=lambda warned: bool(warned.escape.condition))
    return tuple(results)


def versions(facts: HostFacts) -> tuple[tuple[str, str], ...]:
    """Component and version of everything on this host that the table knows."""
    engine = facts.engine
    if engine is None:
        return ()
    by_component: dict[str, str] = {}
    for component in engine.components:
        by_component[component.name.lower()] = component.version
    if engine.kind != "podman":
        by_component["engine"] = engine.version or ""
    for runtime in engine.runtimes:
        if runtime.name == "runc" and runtime.version and not runtime.gvisor:
            by_component.setdefault("runc", runtime.version)
        if runtime.version and (runtime.gvisor or "runsc" in (runtime.name, runtime.path[-5:])):
            by_component["runsc"] = runtime.version
    desktop = re.match(r"Docker Desktop (\d[\w.]*)", engine.product or "")
    by_component["docker-desktop"] = desktop[1] if desktop else ""
    by_component["kernel"] = engine.kernel or ""
    by_component["buildkit"] = facts.buildkit or ""
    return tuple((name, by_component[name]) for name in LABELS if by_component.get(name))


def affects(escape: Escape, version: str, system: str | None) -> bool:
    """Whether the escape works on `version`, as far as a number tells."""
    if escape.system and escape.system != system:
        return False
    if escape.component == "kernel" and not tells_repairs(version):
        return False
    number = parse(version)
    if number is None or (escape.since and number < _parsed(escape.since)):
        return False
    fixes = [_parsed(text) for text in escape.fixed]
    for fix in fixes:
        if fix[0][:2] == number[0][:2]:
            return number < fix
    return number < max(fixes)


def repair(escape: Escape, version: str) -> str:
    """The first repaired version that follows `version`, of its own branch where there is one."""
    number = _parsed(version)
    later = [text for text in escape.fixed if _parsed(text) > number]
    return min(later, key=_parsed)


def parse(version: str) -> Number | None:
    """``1.4.0-rc.3``, ``26.1.5+dfsg1``, ``release-20240729.0`` as something to compare."""
    day = re.search(r"(?<!\d)(20\d{6})(?!\d)", version)
    if day:
        return ((int(day[1]),), 1, 0)
    match = re.match(r"v?(\d+(?:\.\d+)*)(?:[-~]?(?:rc|beta|alpha)\.?(\d+))?", version)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match[1].split("."))
    if match[2] is not None:
        return (numbers, 0, int(match[2]))
    return (numbers, 1, 0)


def _parsed(version: str) -> Number:
    number = parse(version)
    if number is None:
        raise ValueError(f"`{version}` is no version")
    return number


def is_repackaged(version: str) -> bool:
    """Whether a version carries a distribution's mark."""
    return bool(re.search(r"[+~-](?:ds|dfsg|deb|ubuntu|fc|el|\d*ubuntu|\d+\.fc)", version))


def tells_repairs(kernel: str) -> bool:
    """Whether a kernel's number counts upstream's repairs: Ubuntu's and Red Hat's `x.y.0-N` does not."""
    return not re.match(r"\d+\.\d+\.0-\d", kernel)
