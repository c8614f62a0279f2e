"""Change the code at one point after the other and see whether a test notices.

Writes docs/mutation.md, also when it is ended with Ctrl-C. Outcomes are kept in .dev/mutation, and each holds
as long as what it rests on is the same: the next run tries what survived, with the tests that are new, and
what has changed.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.mutation import page, sample
from tools.mutation.outcomes import Again, Outcomes
from tools.mutation.points import Point
from tools.mutation.reach import Reach
from tools.mutation.record import Record
from tools.mutation.trial import Outcome, Workplace, stamps
from tools.programs import ROOT

KEPT = ROOT / ".dev" / "mutation"


def main(arguments: list[str] | None = None) -> int:
    """Run a sample; 0, or 1 with --at-least when fewer were noticed."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=150, metavar="N", help="so many changes")
    parser.add_argument("--seed", type=int, default=1, help="another sample of the same code")
    parser.add_argument("--room", default="", help="only changes of sandboxd/ROOM; writes no page")
    parser.add_argument("--list", action="store_true", help="only print the changes")
    parser.add_argument("--at-least", type=int, default=0, metavar="PERCENT", help="else exit 1")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="so many at a time")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    args = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        drawn = sample.draw(ROOT, args.sample, args.seed, args.room)
        if args.list:
            print("\n".join(f"{point.title} (line {point.line})" for point in drawn))
            return 0
        KEPT.mkdir(parents=True, exist_ok=True)
        kept = KEPT / f"outcomes-{args.seed}"
        if args.fresh:
            kept.unlink(missing_ok=True)
            (KEPT / "reach").unlink(missing_ok=True)
        places: list[Workplace] = []
        for _ in range(args.jobs):
            # All of the same commit, whatever becomes of the checkout meanwhile.
            source = places[0].root if places else ROOT
            folder = Path(stack.enter_context(_folder()))
            places.append(Workplace(source, folder, page.processes()))
            stack.callback(places[-1].end)
        outcomes = Outcomes(places[0].root, kept, page.processes())
        drawn = sample.draw(places[0].root, args.sample, args.seed, args.room)
        _know(places)
        found: list[Outcome] = []
        with contextlib.suppress(KeyboardInterrupt):
            _try_all(places, drawn, outcomes, found)
        red = sorted({test for place in places for test in place.red})
        for test in red:
            print(f"fails without a change, and was left out: {test}", flush=True)
    if not args.room:
        text = page.render(found, args.seed, len(drawn), len(red))
        (ROOT / "docs" / "mutation.md").write_text(text, encoding="utf-8")
    noticed = sum(bool(each.noticed_by) for each in found)
    print(f"{noticed} of {len(found)} changes were noticed")
    return int(100 * noticed < args.at_least * len(found))


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="sandboxd-mutation-")


def _know(places: Sequence[Workplace]) -> None:
    """Know which tests run which function; files of tests that are new since the last run are run."""
    record = Record(KEPT / "reach")
    files = stamps(places[0].root)
    if changed := record.changed(files):
        print(f"recording what {len(changed)} files of tests run", flush=True)
        places[0].record(record, files)
    for place in places:
        place.reach = Reach(place.root, record.tests())


def _try_all(
    places: Sequence[Workplace], drawn: Sequence[Point], outcomes: Outcomes, found: list[Outcome]
) -> None:
    """Try what is not known yet, one change in each workplace at a time."""
    left: queue.SimpleQueue[tuple[Point, Again]] = queue.SimpleQueue()
    lock = threading.Lock()
    ended = threading.Event()

    def tell(outcome: Outcome) -> None:
        found.append(outcome)
        by = outcome.noticed_by
        word = "noticed" if by else "SURVIVED"
        print(f"{len(found):4d} {word}  {outcome.title}  {by}", flush=True)

    def work(place: Workplace) -> None:
        while not ended.is_set():
            try:
                point, how = left.get_nowait()
            except queue.Empty:
                return
            outcome = place.attempt(point, how.first, how.files)
            if not ended.is_set():
                with lock:
                    outcomes.keep(outcome)
                    tell(outcome)

    for point in drawn:
        known = outcomes.of(point)
        if isinstance(known, Outcome):
            tell(known)
        else:
            left.put((point, known))
    workers = [threading.Thread(target=work, args=(place,)) for place in places]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    finally:
        ended.set()
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    sys.exit(main())
