"""Print how much of the house somebody has to know, beside what it should be: `python -m tools.house`.

A way is walked in a real run (`tools/house/ways.py`), a module is on it when one of its functions is called
(`trace.py`), a climb back is a call from a module into one of a room on a higher floor. `structure.py` says what
the other rows count. What only people can count (the files that a new option takes, docstrings that are
understood) is not here.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.house import runs, structure, ways

_PACKAGE = ways.ROOT / "sandboxd"


def sources() -> dict[str, str]:
    """The modules of sandboxd by name, without the package's; the package itself is `__init__`."""
    texts = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        parts = path.relative_to(_PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        texts[name] = Path(path).read_text(encoding="utf-8")
    return texts


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit 1 where a run failed."""
    parser = argparse.ArgumentParser(prog="python -m tools.house", description=__doc__)
    parser.add_argument(
        "--engine", default="", metavar="HOST",
        help="walk `up --on`, too, on a cluster over this engine (`python -m tools.private_engine start`)",
    )  # fmt: skip
    parser.add_argument("--way", choices=(runs.UP, runs.KEYSTROKE, runs.UP_ON), help="print one way by its modules")  # fmt: skip
    args = parser.parse_args(arguments)
    texts = sources()
    floors = structure.floors(texts)
    if args.way == runs.UP_ON and not args.engine:
        parser.error("`--way up-on` needs `--engine`")
    try:
        if args.way:
            print(_one_way(ways.walk(args.way, floors, args.engine)))
            return 0
        names = (runs.UP, runs.KEYSTROKE, *((runs.UP_ON,) if args.engine else ()))
        walked = {name: ways.walk(name, floors, args.engine) for name in names}
    except ways.RunError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(structure.measure(texts), walked))
    return 0


def table(counts: structure.Structure, walked: dict[str, ways.Way]) -> str:
    """The rows as Markdown: the measure, what it is now, what it should be."""
    up, keystroke, on = (walked.get(name) for name in (runs.UP, runs.KEYSTROKE, runs.UP_ON))
    assert up is not None and keystroke is not None
    of_backend = "" if on is None else f", of which {len(on.of(ways.ON_CLUSTER))} are the backend's"
    rows = [
        ("modules on the way of `up`", str(len(up.modules)), "<= 45"),
        ("rooms on the way of `up`", str(len(up.rooms)), ""),
        ("climbs back on the way of `up`", str(len(up.climbs)), "<= 6"),
        ("modules from a keystroke to a squiggle", str(len(keystroke.modules)), "<= 25"),
        (
            "modules on the way of `up --on`",
            "not measured: `--engine`" if on is None else f"{len(on.modules)}{of_backend}",
            "<= 50, of which <= 12 are the backend's",
        ),
        ("rooms", str(counts.rooms), "<= 26"),
        ("floors", str(counts.floors), "<= 12"),
        ("circles", str(counts.circles), "0"),
        ("rows of exceptions in the import table", str(counts.exceptions), "<= 5"),
        ("modules", f"{counts.modules:,}", "about 850"),
        ("lines", f"{counts.lines:,}", "about 105,000"),
    ]
    head = ["| measure | today | goal |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def _one_way(walked: ways.Way) -> str:
    lines = [*walked.modules, "", "climbs back:"]
    return "\n".join([*lines, *(f"{caller} -> {called}" for caller, called in walked.climbs)])


if __name__ == "__main__":
    sys.exit(main())
