"""Make what is released, below dist/: wheel, sdist, bill of materials, checksums. `./dev dist`.

Everything is built twice, in two folders, and is refused when the bytes differ. The sources are those of
the last commit; what is not committed is not in it.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from sandboxd import __version__
from tools import sbom

ROOT = Path(__file__).resolve().parent.parent


class DistError(Exception):
    """Nothing that could be released comes out; the text says why."""


def make(folder: Path, commit: str = "HEAD") -> list[Path]:
    """Build into `folder`; the paths of what is there then.

    :raises DistError: there is no such commit, or two builds of it differ
    """
    folder.mkdir(parents=True, exist_ok=True)
    commit = _resolved(commit)
    with tempfile.TemporaryDirectory() as temporary:
        first, second = (_build(Path(temporary) / name, commit) for name in ("one", "another"))
        if first != second:
            differ = [name for name in first if first[name] != second.get(name)]
            raise DistError(f"two builds of the same sources differ: {', '.join(differ)}")
    for name, data in first.items():
        (folder / name).write_bytes(data)
    files = [folder / name for name in sorted(first)]
    (wheel,) = [path for path in files if path.suffix == ".whl"]
    bill = folder / f"sandboxd-{__version__}.cdx.json"
    bill.write_text(sbom.document(wheel, sbom.LOCK.read_text()))
    files.append(bill)
    sums = folder / "SHA256SUMS"
    sums.write_text("".join(f"{_digest(path)}  {path.name}\n" for path in sorted(files)))
    return [*files, sums]


def _resolved(commit: str) -> str:
    """The commit's own name: somebody may commit between the two builds."""
    command = ["git", "rev-parse", "--quiet", "--verify", "--end-of-options", commit + "^{commit}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DistError(f"there is no commit `{commit}`")
    return done.stdout.strip()


def is_announced(changelog: str) -> bool:
    """Whether the changelog has a heading for this version: a release has one, with its date."""
    return f"\n## {__version__} - 2" in changelog


def _build(folder: Path, commit: str) -> dict[str, bytes]:
    sources = folder / "sources"
    sources.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-x"], cwd=sources, input=archive, check=True)
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in sorted((folder / "dist").iterdir())}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="./dev dist", description=__doc__)
    parser.add_argument("--commit", default="HEAD", help="what to build (default: HEAD)")
    args = parser.parse_args()
    try:
        files = make(ROOT / "dist", args.commit)
    except (DistError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(str(path.relative_to(ROOT)) for path in files))
    if not is_announced((ROOT / "CHANGELOG.md").read_text()):
        print(f"note: CHANGELOG.md has no `## {__version__} - DATE` yet", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
