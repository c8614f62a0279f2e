"""Finds versions on this host for which escapes are known. Pure.

A version number says what upstream released, and distributions repair without raising it. Where the advisory knows
the distribution's package and the host its version, the package decides; else an old number of a distribution is only
a warning. A kernel whose number tells nothing about repairs is not judged at all.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.host.advisories import load_all

if TYPE_CHECKING:
    from sandboxd.host.advisories import Advisory, Affected, Package
    from sandboxd.host.facts import HostFacts


# Debian package versions are epoch, upstream version, Debian revision. As Debian's policy manual says
# (5.6.12), a `~` sorts before the end of the text, letters before other characters, and digits are compared
# as numbers.
def is_at_least(version: str, least: str) -> bool:
    """Whether the package version `version` is `least` or a later one."""
    return _key(version) >= _key(least)


def upstream(version: str) -> str:
    """The upstream version in a package version: ``26.1.5+dfsg1`` of ``2:26.1.5+dfsg1-9+deb13u1``."""
    return _split(version)[1]


def _split(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", version
    main, dash, revision = rest.rpartition("-")
    return (int(epoch), main, revision) if dash else (int(epoch), rest, "")


@functools.cache
def _key(version: str) -> tuple[Any, ...]:
    epoch, main, revision = _split(version)
    return (epoch, _part(main), _part(revision or "0"))


def _part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """The runs of other characters and the numbers after them; the end of a run weighs 0, above a ``~``."""
    pieces = tuple(
        ((*(_weight(character) for character in run), 0), int(number or 0))
        for run, number in re.findall(r"(\D*)(\d*)", text)
        if run or number
    )
    return (*pieces, ((0,), 0))


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


LABELS = {
    "runc": "runc",
    "containerd": "containerd",
    "engine": "Docker Engine",
    "podman": "Podman",
    "docker-desktop": "Docker Desktop",
    "buildkit": "BuildKit",
    "kernel": "Linux",
    "runsc": "runsc",
    "vscode": "VS Code",
    "devcontainer-cli": "the dev container CLI",
}
_PACKAGED = {
    "runc": "runc",
    "containerd": "containerd",
    "engine": "docker.io",
    "podman": "podman",
    "runsc": "runsc",
}

Number = tuple[tuple[int, ...], int, int]
"""A version for comparison: its numbers, then 0 for a release candidate and 1 for a release, then the candidate's
number."""


class Warned(NamedTuple):
    """A component of this host in a version for which an escape is known.

    `condition` is what else the escape needs, '' for nothing. `repaired` is the version that repairs it, '' for none.
    `repackaged`: the version is a distribution's, which may contain the repair under the old number.
    """

    affected: Affected
    version: str
    advisory: Advisory
    condition: str
    repaired: str
    repackaged: bool

    @property
    def component(self) -> str:
        """The component's name, a key of `LABELS`."""
        return self.affected.component

    @property
    def message(self) -> str:
        """One line for a person."""
        advisory = self.advisory
        maybe = ", or in the distribution's package under this number" if self.repackaged else ""
        condition = f" ({self.condition})" if self.condition else ""
        repair = f"repaired in {self.repaired}{maybe}" if self.repaired else "not repaired so far"
        return (
            f"{LABELS[self.component]} {self.version}: {', '.join(advisory.ids)}: "
            f"{advisory.effect}{condition}; published {advisory.published}, {repair}"
        )


def warnings(facts: HostFacts) -> tuple[Warned, ...]:
    """The known escapes that may work on this host, as far as its versions tell.

    Those without a further condition first, then the newest first.
    """
    here = dict(versions(facts))
    results = [
        warned
        for advisory in load_all()
        for affected in advisory.affected
        if affected.component in here
        and (warned := _judge(advisory, affected, here[affected.component], facts)) is not None
    ]
    results.sort(key=lambda warned: warned.advisory.published, reverse=True)
    results.sort(key=lambda warned: bool(warned.condition))
    return tuple(results)


def warning(facts: HostFacts, name: str) -> Warned | None:
    """The warning of the advisory `name`; None if this host's versions are not affected."""
    return next((w for w in warnings(facts) if w.advisory.name == name), None)


def _judge(advisory: Advisory, affected: Affected, version: str, facts: HostFacts) -> Warned | None:
    needed = getattr(facts, advisory.needs) if advisory.needs else True
    if needed is False or not affects(affected, version, facts.system):
        return None
    condition = advisory.condition
    if needed is None:
        condition = f"where the host has {advisory.needs.upper()}, which was not to be seen"
    component = affected.component
    known = _package(advisory, component, version, facts)
    if known is not None:
        package, installed = known
        if is_at_least(installed, package.fixed):
            return None
        repair = f"the package {package.name} {package.fixed}"
        return Warned(affected, version, advisory, condition, repair, False)
    repackaged = component != "kernel" and is_repackaged(version)
    return Warned(affected, version, advisory, condition, repair_of(affected, version), repackaged)


def _package(
    advisory: Advisory, component: str, version: str, facts: HostFacts
) -> tuple[Package, str] | None:
    """The repaired package of this host's release, and the version of it that is installed here.

    None where the advisory knows none, or where what runs is no program of that package.
    """
    name = _PACKAGED.get(component, "")
    installed = next((part.version for part in facts.packages if part.name == name), "")
    if not installed or upstream(installed) != version.removeprefix("v"):
        return None
    for package in advisory.packages:
        if (package.distribution, package.release, package.name) == (
            facts.distribution,
            facts.release,
            name,
        ):
            return package, installed
    return None


def versions(facts: HostFacts) -> tuple[tuple[str, str], ...]:
    """(component, version) of everything on this host that advisories are about."""
    by_component = {program.name: program.version for program in facts.programs}
    engine = facts.engine
    if engine is not None:
        for component in engine.components:
            by_component[component.name.lower()] = component.version
        by_component["podman" if engine.kind == "podman" else "engine"] = engine.version or ""
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


def affects(affected: Affected, version: str, system: str | None) -> bool:
    """Whether the escape works on `version`, as far as the number tells.

    :param system: the operating system as `HostFacts.system`; None for unknown
    """
    if affected.system and affected.system != system:
        return False
    if affected.component == "kernel" and not tells_repairs(version):
        return False
    number = parse(version)
    if number is None or (affected.since and number < _parsed(affected.since)):
        return False
    fixes = [_parsed(text) for text in affected.fixed]
    for fix in fixes:
        if fix[0][:2] == number[0][:2]:
            return number < fix
    return not fixes or number < max(fixes)


def repair_of(affected: Affected, version: str) -> str:
    """The first repaired version that follows `version`, of its own branch where there is one; '' for none."""
    number = _parsed(version)
    later = [text for text in affected.fixed if _parsed(text) > number]
    own = [text for text in later if _parsed(text)[0][:2] == number[0][:2]]
    return min(own or later, key=_parsed, default="")


def parse(version: str) -> Number | None:
    """A version such as ``1.4.0-rc.3``, ``26.1.5+dfsg1`` or ``release-20240729.0`` for comparison; None where it is
    none.
    """
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
    """Whether a version has the suffix of a distribution, such as ``+dfsg1``."""
    return bool(re.search(r"[+~-](?:ds|dfsg|deb|ubuntu|fc|el|\d*ubuntu|\d+\.fc)", version))


def tells_repairs(kernel: str) -> bool:
    """Whether a kernel's number shows upstream's repairs; that of Ubuntu and Red Hat, `x.y.0-N`, does not."""
    return not re.match(r"\d+\.\d+\.0-\d", kernel)
