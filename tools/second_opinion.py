"""The other escape checker that tests ask, installed by hashes into an environment of its own."""

from __future__ import annotations

from tools import locked_environment

PROGRAM = locked_environment.home("second-opinion") / "bin" / "cepheus"


def missing() -> str:
    """Why it cannot be asked, '' when it can."""
    current = locked_environment.is_current("second-opinion")
    return "" if current else "no cepheus; run `CI=true ./dev setup --tests`"


def install() -> None:
    """Install it unless the same lock was installed before.

    :raises InstallError: it cannot be downloaded
    """
    locked_environment.install("second-opinion")
