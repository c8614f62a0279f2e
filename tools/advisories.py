"""List the known ways out, and say which of them nobody compared with their source for some time.

Exit code 1 where there is such a one: what is wrong in `sandboxd/host/advisories/NAME.toml` is mended
there, `reviewed` is set to the day, and `./dev docs` writes the page anew.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from typing import TYPE_CHECKING

from sandboxd.host import advisories
from sandboxd.host.advisories import load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandboxd.host.advisories import Advisory

_DAYS = 90


def stale(all_: Iterable[Advisory], today: datetime.date, days: int) -> tuple[Advisory, ...]:
    """The advisories that were reviewed more than `days` days before `today`, the oldest first."""
    old = [advisory for advisory in all_ if (today - advisory.reviewed).days > days]
    return tuple(sorted(old, key=lambda advisory: advisory.reviewed))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the list.

    :return: 1 where a review is due, else 0
    """
    parser = argparse.ArgumentParser(prog="./dev advisories", description=__doc__)
    parser.add_argument(
        "--days", type=int, default=_DAYS, help=f"how old a review may be ({_DAYS})"
    )
    options = parser.parse_args(arguments)
    known = load_all()
    due = stale(known, datetime.datetime.now(tz=datetime.UTC).date(), options.days)
    for advisory in sorted(known, key=lambda a: (a.affected[0].component, a.published)):
        mark = "due " if advisory in due else "    "
        print(
            f"{mark}{advisory.reviewed}  {advisory.affected[0].component:<16}  {', '.join(advisory.ids)}"
        )
    for advisory in due:
        print(f"look again: {advisories.path(advisory.name)} against {advisory.source}")
    print(f"{len(known)} known, {len(due)} not looked at for {options.days} days")
    return 1 if due else 0


if __name__ == "__main__":
    sys.exit(main())
