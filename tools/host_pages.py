"""docs/platforms.md and docs/versions.md, from the platform modules and the table of known escapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.host import platforms
from sandboxd.host.advisories import load_all
from sandboxd.host.advisories.versions import LABELS

if TYPE_CHECKING:
    from sandboxd.host.advisories import Advisory
    from sandboxd.host.platforms import Platform


def platforms_page() -> str:
    """Each kind of host: what is possible, why not more, what to do instead, in order."""
    modules = sorted(platforms.load().values(), key=lambda platform: platform.TITLE)
    head = (
        "<!-- not run on this page: the steps are for other hosts than the one that tests -->\n\n"
        "# What each kind of host can do\n\n"
        "`sandboxd doctor` says which of these a host is, and what was seen there: a runtime counts "
        "only after it started a container. `sandboxd recommend` chooses among what was seen.\n\n"
    )
    links = "".join(f"- [{p.TITLE}](#{_anchor(p.TITLE)})\n" for p in modules)
    return head + links + "".join(_platform(platform) for platform in modules)


def _platform(platform: Platform) -> str:
    text = f"\n## {platform.TITLE}\n\n{(platform.__doc__ or '').strip()}\n\n"
    text += f"{_origin(platform)}\n\n"
    text += "| control | possible | |\n|---|---|---|\n"
    for ability in platform.ABILITIES:
        text += f"| {ability.control} | {ability.possible} | {ability.why} |\n"
    for number, alternative in enumerate(platform.ALTERNATIVES, 1):
        text += f"\n{number}. **{alternative.title}**: {alternative.why}\n\n"
        text += "   ```sh\n" + "".join(f"   {step}\n" for step in alternative.steps) + "   ```\n"
    return text


def _origin(platform: Platform) -> str:
    """Where the abilities come from, and what was seen where they were tested."""
    run = platform.RUN
    if run is None:
        return "From documentation."
    records = ", ".join(f"`{name}` ({digest})" for name, digest in sorted(run.records.items()))
    return f"Run on {run.day} with {run.on}. `doctor --raw` there, in tests/hosts: {records}."


def _anchor(title: str) -> str:
    characters = "".join(c for c in title.lower() if c.isalnum() or c in " -")
    return characters.replace(" ", "-")


def versions_page() -> str:
    """The table of known escapes."""
    head = (
        "# Versions with known ways out\n\n"
        "What `sandboxd doctor` warns of, and `sandboxd status` counts. Each was compared with its source on "
        "the day that stands there; what could not be checked is not in the table. Each is one file of "
        "`sandboxd/host/advisories`, and `./dev advisories` says which nobody looked at for 90 days. A "
        "distribution may repair under an older number: where its package is in the table, that decides. A "
        "kernel whose number does not count upstream's repairs is not judged.\n\n"
        "| | what | repaired in | published | what sandboxd sees of it | source | looked at |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    ordered = sorted(load_all(), key=lambda a: (_order(a), -a.published.toordinal(), a.name))
    return head + "".join(_row(advisory) for advisory in ordered)


def _order(advisory: Advisory) -> int:
    return list(LABELS).index(advisory.affected[0].component)


def _row(advisory: Advisory) -> str:
    condition = f" ({advisory.condition})" if advisory.condition else ""
    what = f"{advisory.effect}{condition}"
    if advisory.needs:
        what += f", where the kernel has {advisory.needs.upper()}"
    seen = advisory.evidence
    if advisory.attempts:
        seen += f" ({', '.join(f'`{attempt}`' for attempt in advisory.attempts)})"
    return (
        f"| {', '.join(advisory.ids)} | {what} | {_repairs(advisory)} | {advisory.published} | {seen} | "
        f"[source]({advisory.source}) | {advisory.reviewed} |\n"
    )


def _repairs(advisory: Advisory) -> str:
    texts = []
    for affected in advisory.affected:
        since = f" (since {affected.since})" if affected.since else ""
        fixed = ", ".join(affected.fixed) or "nothing so far"
        texts.append(f"{LABELS[affected.component]} {fixed}{since}")
    for package in advisory.packages:
        texts.append(f"{package.distribution} {package.release}: {package.name} {package.fixed}")
    return "; ".join(texts)
