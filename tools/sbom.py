"""The bill of materials of a wheel, as CycloneDX 1.6 JSON: `python -m tools.sbom WHEEL`.

What the wheel needs is what it says itself; the versions and the hashes of their files are those of
`requirements/runtime.txt`; licences and who needs whom are read from what is installed here. The same
wheel gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import sys
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "runtime.txt"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\\n]+))?", re.MULTILINE)
_SYSTEMS = [
    {
        "extra": "",
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.0",
        "sys_platform": "linux",
    }
    for minor in range(11, 15)
]
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Pinned(NamedTuple):
    """One version of a lock, and the SHA-256 of each file that it may come in."""

    name: str
    version: str
    hashes: tuple[str, ...]


def pinned(lock: str) -> tuple[Pinned, ...]:
    """The versions of a lock in pip's form, without those that no system of ours installs."""
    starts = list(_PINNED.finditer(lock))
    ends = [start.start() for start in starts[1:]] + [len(lock)]
    return tuple(
        Pinned(
            canonicalize_name(start[1]),
            start[2],
            tuple(_HASH.findall(lock[start.end() : end])),
        )
        for start, end in zip(starts, ends, strict=True)
        if start[3] is None or _counts(Marker(start[3]))
    )


def document(wheel: Path, lock: str) -> str:
    """The bill of materials of `wheel` as JSON.

    :raises ValueError: the wheel needs something that the lock does not pin, or that is not
        installed here in the version that the lock pins
    """
    data = wheel.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    about, components_by_name = _metadata(wheel)
    components = {pin.name: _component(pin) for pin in pinned(lock)}
    own = Component(
        name=about["Name"],
        version=about["Version"],
        type=ComponentType.APPLICATION,
        description=about["Summary"],
        licenses=[LicenseFactory().make_from_string(about["License-Expression"])],
        purl=PackageURL("pypi", name=about["Name"], version=about["Version"]),
        bom_ref="sandboxd",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
    )
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest), components=components.values())
    bom.metadata.component = own
    bom.metadata.timestamp = components_by_name
    for component, needed in [
        (own, _needed(about.get_all("Requires-Dist") or [])),
        *(
            (components_by_name, _needed(metadata.requires(name) or []))
            for name, components_by_name in components.items()
        ),
    ]:
        missing = set(needed) - set(components)
        if missing:
            raise ValueError(
                f"{component.name} needs {', '.join(sorted(missing))}: not in the lock"
            )
        bom.register_dependency(component, [components[name] for name in needed])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _metadata(wheel: Path) -> tuple[Message, datetime]:
    """What a wheel says of itself, and the date that its files have."""
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = [e for e in archive.infolist() if e.filename.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(archive.read(entry)), datetime(*entry.date_time, tzinfo=UTC)


def _needed(requirements: list[str]) -> list[str]:
    """Names without those of extras: all that are needed on one of our Pythons, on Linux."""
    parsed = map(Requirement, requirements)
    return [
        canonicalize_name(need.name)
        for need in parsed
        if need.marker is None or _counts(need.marker)
    ]


def _counts(marker: Marker) -> bool:
    """Whether a condition holds on one of our Pythons, on Linux."""
    return any(marker.evaluate(each) for each in _SYSTEMS)


def _component(pin: Pinned) -> Component:
    installed = metadata.metadata(pin.name)
    if installed["Version"] != pin.version:
        raise ValueError(f"{pin.name} {installed['Version']} is installed, not {pin.version}")
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    files = [HashType(alg=HashAlgorithm.SHA_256, content=each) for each in pin.hashes]
    source = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION, url=XsUri(purl.to_string()), hashes=files
    )
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        licenses=[LicenseFactory().make_from_string(text) for text in _licences(installed)],
        purl=purl,
        bom_ref=purl.to_string(),
        external_references=[source],
    )


def _licences(installed: metadata.PackageMetadata) -> Iterator[str]:
    """The SPDX expression where there is one, else what the classifiers or the old field say."""
    if "License-Expression" in installed:
        yield installed["License-Expression"]
        return
    approved = "License :: OSI Approved :: "
    lines = [x for x in installed.get_all("Classifier") or [] if x.startswith(approved)]
    for line in lines:
        yield line.rpartition(" :: ")[2].removesuffix(" License")
    # Some put the whole text there.
    if not lines and "License" in installed and "\n" not in installed["License"]:
        yield installed["License"]


def main(arguments: list[str]) -> int:
    """Write the bill of each wheel beside it; returns the exit code."""
    for name in arguments:
        wheel = Path(name)
        path = wheel.with_name(f"{'-'.join(wheel.name.split('-')[:2])}.cdx.json")
        path.write_text(document(wheel, LOCK.read_text()))
        print(path)
    return 0 if arguments else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
