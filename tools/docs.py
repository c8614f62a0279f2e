"""Write what is made from the code, or with `--check` say what of it is out of date.

The indexes of rules and of file kinds; one page for each rule and an index, below docs/rules/; docs/commands.md from the
commands' arguments; docs/configuration.md and the JSON schema of sandboxd.toml from its keys;
docs/merge.md from the projects of the merge; docs/testing.md from a recorded run of the tests.
"""

from __future__ import annotations

import argparse
import os
import sys

from sandboxd import rules
from sandboxd.cli import config_schema
from sandboxd.files import write_atomic
from sandboxd.observe import misreports
from tools import (
    command_pages,
    config_page,
    generate_index,
    group_pages,
    host_pages,
    merge_page,
    profile_pages,
    seed_guide,
    service_pages,
    template_pages,
    timing_page,
)
from tools.screens import page as screens_page

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_NOTE = "<!-- Made by `./dev docs` from the code: change it there. -->\n\n"


def pages() -> dict[str, str]:
    """Path below docs/ -> text, for all generated pages."""
    loaded = rules.load()
    texts = {f"rules/{name}.md": _rule_page(name) for name in loaded}
    texts["rules/README.md"] = _index()
    texts["commands.md"] = _NOTE + command_pages.page()
    texts["gvisor-misreports.md"] = _misreports()
    texts["platforms.md"] = _NOTE + host_pages.platforms_page()
    texts["merge.md"] = _NOTE + merge_page.page()
    texts["versions.md"] = _NOTE + host_pages.versions_page()
    texts["profiles.md"] = _NOTE + profile_pages.page()
    texts["network-groups.md"] = _NOTE + group_pages.page()
    texts["credential-services.md"] = _NOTE + service_pages.page()
    texts["configuration.md"] = _NOTE + config_page.page()
    texts["sandboxd.schema.json"] = config_schema.text()
    texts["screens.md"] = _NOTE + screens_page.page()
    texts["seed-guide.md"] = _NOTE + seed_guide.page()
    texts["testing.md"] = _NOTE + timing_page.page()
    return texts


def _rule_page(name: str) -> str:
    meta, text = rules.get(name).META, rules.page(name)
    return f"{_NOTE}# {name}\n\nHighest severity: {meta.severity.label}. Since {meta.since}.\n\n{text}\n"


def _index() -> str:
    rows = [
        f"| [{name}]({name}.md) | {rule.META.severity.label} | {rule.META.summary} |"
        for name, rule in sorted(rules.load().items())
    ]
    head = "# Rules\n\n`sandboxd explain RULE` prints the same pages.\n\n"
    return f"{_NOTE}{head}| rule | highest severity | what it finds |\n|---|---|---|\n" + (
        "\n".join(rows) + "\n"
    )


def _misreports() -> str:
    rows = [
        f"| {row.subject} | `{row.probe.replace('|', chr(92) + '|')}` | {row.truth} | {row.instead} "
        f"| {f'`{row.until}`' if row.until else ''} |"
        for row in (*misreports.GVISOR, misreports.DIRECTFS)
    ]
    head = (
        "# What a sandbox under gVisor shows that is not so\n\n"
        "Seen with runsc 20240729 (Debian 13); each row is measured again by a test, on the build that is "
        "there. A build that was seen to hold the premise in the last column shows what is so; "
        "`sandboxd doctor --long` tries the premises. Whoever looks from inside must know it; "
        "`sandboxd drift` and `sandboxd verify` do.\n\n"
        "| subject | looked at by | the truth | what sandboxd goes by | until |\n|---|---|---|---|---|\n"
    )
    return _NOTE + head + "\n".join(rows) + "\n"


def stale(texts: dict[str, str], folder: str) -> list[str]:
    """Pages that differ from what the code says, are missing, or have no source any more."""
    names = (
        {f"rules/{name}" for name in os.listdir(f"{folder}/rules") if name.endswith(".md")}
        if os.path.isdir(f"{folder}/rules")
        else set()
    )
    return sorted(
        {path for path, text in texts.items() if _read(f"{folder}/{path}") != text}
        | (names - set(texts))
    )


def main() -> int:
    """Run; exit 1 when `--check` finds a page out of date."""
    parser = argparse.ArgumentParser(prog="./dev docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    args = parser.parse_args()
    if args.check:
        late = generate_index.stale() + template_pages.stale()
        late += [f"docs/{path}" for path in stale(pages(), f"{ROOT}/docs")]
        for path in late:
            print(f"out of date: {path}", file=sys.stderr)
        if late:
            print("hint: run `./dev docs`", file=sys.stderr)
        return 1 if late else 0
    if written := generate_index.write():
        # The index was read when this began; what it lacks is only found by beginning anew.
        print("\n".join(written), flush=True)
        os.execv(sys.executable, [sys.executable, "-m", "tools.docs"])
    for path in template_pages.write():
        print(path)
    texts, folder = pages(), f"{ROOT}/docs"
    late = stale(texts, folder)
    os.makedirs(f"{folder}/rules", exist_ok=True)
    for path in late:
        if path in texts:
            write_atomic(f"{folder}/{path}", texts[path].encode())
        else:
            os.unlink(f"{folder}/{path}")
        print(f"docs/{path}")
    return 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
