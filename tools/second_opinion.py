"""Install the other escape checker that tests ask, by hashes, into an environment of its own."""

from __future__ import annotations

import sys

from tools import locked_environment

PROGRAM = locked_environment.home("second-opinion") / "bin" / "cepheus"


def missing() -> str:
    """Why it cannot be asked, '' when it can."""
    return "" if PROGRAM.exists() else "no cepheus; run `python3 -m tools.second_opinion`"


def main() -> int:
    """Install it unless the same lock was installed before."""
    return locked_environment.install("second-opinion")


if __name__ == "__main__":
    sys.exit(main())
