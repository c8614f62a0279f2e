"""Change the code at one point after the other and see whether a test notices.

Writes docs/mutation.md. Outcomes are kept in .dev/mutation, so that a run that was ended goes on where
it was, as long as the code is the same. The survivors of the sample are printed at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.mutation import page, sample
from tools.mutation.trial import Outcome, Workplace
from tools.programs import ROOT


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
        workplace = Workplace(ROOT, Path(folder) / "clone", args.processes)
        drawn = sample.draw(workplace.root, args.sample, args.seed, args.room)
        if args.list:
            print("\n".join(f"{point.title} (line {point.line})" for point in drawn))
            return 0
        record = _record(args.seed, args.room)
        known = _load(record)
        for number, point in enumerate(drawn, 1):
            if point.title not in known:
                known[point.title] = workplace.attempt(point)
                with record.open("a", encoding="utf-8") as file:
                    print(json.dumps(known[point.title]._asdict()), file=file)
            by = known[point.title].noticed_by
            print(f"{number:4d} {'noticed' if by else 'SURVIVED'}  {point.title}  {by}", flush=True)
        for test in workplace.red:
            print(f"fails without a change, and was left out: {test}", flush=True)
    outcomes = [known[point.title] for point in drawn]
    if not args.room:
        text = page.render(outcomes, args.seed, len(workplace.red))
        (ROOT / "docs" / "mutation.md").write_text(text, encoding="utf-8")
    noticed = sum(bool(each.noticed_by) for each in outcomes)
    print(f"{noticed} of {len(outcomes)} changes were noticed")
    return int(100 * noticed < args.at_least * len(outcomes))


def _record(seed: int, room: str) -> Path:
    """Where outcomes are kept; those of other code are not looked at."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    folder = ROOT / ".dev" / "mutation"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{commit}-{seed}{room and f'-{room}'}.jsonl"


def _load(record: Path) -> dict[str, Outcome]:
    if not record.exists():
        return {}
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return {row["title"]: Outcome(**row) for row in rows}


if __name__ == "__main__":
    sys.exit(main())
