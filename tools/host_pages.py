"""docs/platforms.md and docs/versions.md, from the platform modules and the table of known escapes."""

from __future__ import annotations

from sandboxd import platforms
from sandboxd.host.known_escapes import ESCAPES
from sandboxd.host.versions import LABELS
from sandboxd.platforms import Platform


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
    text += "| control | possible | |\n|---|---|---|\n"
    for ability in platform.ABILITIES:
        text += f"| {ability.control} | {ability.possible} | {ability.why} |\n"
    for number, alternative in enumerate(platform.ALTERNATIVES, 1):
        text += f"\n{number}. **{alternative.title}**: {alternative.why}\n\n"
        text += "   ```sh\n" + "".join(f"   {step}\n" for step in alternative.steps) + "   ```\n"
    return text


def _anchor(title: str) -> str:
    characters = "".join(c for c in title.lower() if c.isalnum() or c in " -")
    return characters.replace(" ", "-")


def versions_page() -> str:
    """The table of known escapes."""
    head = (
        "# Versions with known ways out\n\n"
        "What `sandboxd doctor` warns of. Each number was read in the original named as its source; "
        "what could not be checked there is not in the table. A distribution may repair under an "
        "older number; a kernel whose number does not count upstream's repairs is not judged.\n\n"
        "| component | | what | repaired in | | source |\n|---|---|---|---|---|---|\n"
    )
    rows = []
    for escape in ESCAPES:
        what = f"{escape.what} ({escape.condition})" if escape.condition else escape.what
        since = f" (since {escape.since})" if escape.since else ""
        rows.append(
            f"| {LABELS[escape.component]} | {', '.join(escape.ids)} | {what} | "
            f"{', '.join(escape.fixed)}{since} | {escape.date} | {escape.source} |\n"
        )
    return head + "".join(rows)
