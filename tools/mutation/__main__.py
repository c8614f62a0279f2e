"""Change the code at one point after the other and see whether a test notices.

Writes docs/mutation.md, also when it is ended with Ctrl-C. Outcomes are kept in .dev/mutation, so that
the next run goes on where this one was, as long as the code and its tests are the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.mutation import page, sample
from tools.mutation.points import Point
from tools.mutation.trial import IN_PROCESS, PROCESSES, Outcome, Workplace
from tools.programs import ROOT

Key = tuple[str, int]
"""Title and line of a change: a function may hold the same text twice."""


def main(arguments: list[str] | None = None) -> int:
    """Run a sample; 0, or 1 with --at-least when fewer were noticed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="so many changes")
    parser.add_argument("--seed", type=int, default=1, help="another sample of the same code")
    parser.add_argument("--room", default="", help="only changes of sandboxd/ROOM; writes no page")
    parser.add_argument("--list", action="store_true", help="only print the changes")
    parser.add_argument("--at-least", type=int, default=0, metavar="PERCENT", help="else exit 1")
    parser.add_argument(
        "--processes",
        action="store_true",
        help="run the tests of whole processes too: it takes long",
    )
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="sandboxd-mutation-") as folder:
        workplace = Workplace(ROOT, Path(folder))
        drawn = sample.draw(workplace.root, args.sample, args.seed, args.room)
        if args.list:
            print("\n".join(f"{point.title} (line {point.line})" for point in drawn))
            return 0
        folders = [*IN_PROCESS, *(PROCESSES if args.processes else ())]
        workplace.know(_record("reach", *folders), folders)
        record = _record("outcomes", str(args.seed), args.room, *folders[len(IN_PROCESS) :])
        known = _load(record)
        with contextlib.suppress(KeyboardInterrupt):
            _try_all(workplace, drawn, known, record)
        for test in workplace.red:
            print(f"fails without a change, and was left out: {test}", flush=True)
    outcomes = [known[_key(point)] for point in drawn if _key(point) in known]
    if not args.room:
        text = page.render(outcomes, args.seed, len(drawn), len(workplace.red))
        (ROOT / "docs" / "mutation.md").write_text(text, encoding="utf-8")
    noticed = sum(bool(each.noticed_by) for each in outcomes)
    print(f"{noticed} of {len(outcomes)} changes were noticed")
    return int(100 * noticed < args.at_least * len(outcomes))


def _try_all(
    workplace: Workplace, drawn: Sequence[Point], known: dict[Key, Outcome], record: Path
) -> None:
    """Try what is not known yet, and write each outcome down at once."""
    for number, point in enumerate(drawn, 1):
        key = _key(point)
        if key not in known:
            known[key] = workplace.attempt(point)
            with record.open("a", encoding="utf-8") as file:
                print(json.dumps(known[key]._asdict()), file=file)
        by = known[key].noticed_by
        print(f"{number:4d} {'noticed' if by else 'SURVIVED'}  {point.title}  {by}", flush=True)


def _key(change: Point | Outcome) -> Key:
    return change.title, change.line


def _record(*words: str) -> Path:
    """Where something is kept of this code and these tests; that of others is not looked at."""
    trees = subprocess.run(
        ["git", "rev-parse", "HEAD:sandboxd", "HEAD:tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    folder = ROOT / ".dev" / "mutation"
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join([*(tree[:8] for tree in trees), *filter(None, words)])
    return folder / name.replace("/", "-")


def _load(record: Path) -> dict[Key, Outcome]:
    if not record.exists():
        return {}
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return {_key(outcome): outcome for outcome in (Outcome(**row) for row in rows)}


if __name__ == "__main__":
    sys.exit(main())
