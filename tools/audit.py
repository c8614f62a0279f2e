"""Ask a vulnerability service about every version that our locks pin: `./dev audit`.

Exit code 0: each was judged, and nothing is known of any. 1: something is known. 4: the service
could not be asked about all. That is a case of its own, since pip-audit itself then may say that no
vulnerability is known.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools import locked_environment
from tools.engine.packages import InstallError
from tools.programs import ROOT

PROGRAM = locked_environment.home("audit") / "bin" / "pip-audit"
LOCKS = [
    ROOT / "requirements" / name
    for name in ("runtime.txt", "kubernetes.txt", "dev.txt", "audit.txt")
]


def missing() -> str:
    """Why pip-audit cannot be run, '' when it can."""
    current = locked_environment.is_current("audit")
    return "" if current else "no pip-audit; run `CI=true ./dev setup --tests`"


def install() -> None:
    """Install pip-audit unless the same lock was installed before.

    :raises InstallError: it cannot be downloaded
    """
    locked_environment.install("audit")


def audit(locks: Sequence[Path], service: str = "") -> int:
    """Judge all versions of `locks` and say what is known; `service` is an OSV address of your own."""
    command = [PROGRAM, "-s", "osv", "-f", "json", "--progress-spinner", "off"]
    command += ["--disable-pip", "--require-hashes"]
    command += [word for lock in locks for word in ("-r", lock)]
    if service:
        command += ["--osv-url", service]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        return _not_asked(f"the vulnerability service gave no answer: {lines[-1][:300]}")
    return _report(packages)


def _report(packages: list[dict[str, Any]]) -> int:
    unjudged = [row["name"] for row in packages if "skip_reason" in row]
    known = [(row, each) for row in packages for each in row.get("vulns", ())]
    for row, each in known:
        fixed = ", ".join(each["fix_versions"]) or "no version"
        names = ", ".join([each["id"], *each.get("aliases", ())])
        print(f"{row['name']} {row['version']}: {names}; fixed in {fixed}")
    if unjudged:
        return _not_asked(f"{len(unjudged)} packages were not judged: {', '.join(unjudged)[:300]}")
    print(f"{len(packages)} versions judged, {len(known)} known vulnerabilities", file=sys.stderr)
    if known:
        print("hint: raise them with `./dev lock`, or say why they do not matter", file=sys.stderr)
    return 1 if known else 0


def _not_asked(why: str) -> int:
    print(f"error: {why}", file=sys.stderr)
    print("hint: run `./dev audit` where the service can be reached", file=sys.stderr)
    return 4


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="./dev audit", description=__doc__)
    parser.add_argument("--osv-url", default="", metavar="URL", help="another OSV service")
    args = parser.parse_args()
    try:
        install()
    except InstallError as error:
        print(f"error: pip-audit cannot be installed: {error}", file=sys.stderr)
        return 4
    return audit(LOCKS, args.osv_url)


if __name__ == "__main__":
    sys.exit(main())
