#!/usr/bin/env python3
"""Live the life of real public repositories under `sandboxd up`, beside the reference client.

    benchmarks/real_projects.py [--only WORD,...] [--repositories FOLDER] [--write FILE]

Each project of real_projects.toml goes from clone to `down` under runc and gVisor, by the commands that a
person types: check, init, up with its hooks, tests, its server opened from this machine, a commit, a review.

The engine is that of DOCKER_HOST, which must have the projects' images; else a private one, whose images are
made of Debian packages (needs root, and `mmdebstrap`). Repositories come from GitHub, or from FOLDER/OWNER+NAME/repo
or FOLDER/OWNER/NAME where it is not reached. What was measured is kept below .dev, so that projects can be
measured one after the other. Nothing runs afterwards, and no home, setting or checkout of yours is touched.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import real_images
import real_page
import real_reference
import registry_wire
from real_life import Life, Project, Step, live

from sandboxd.egress import group
from sandboxd.verify import listeners
from tools.engine import packages, private

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_suffix(".toml")
KEPT = ROOT / ".dev" / "real-projects" / "results.json"
WAYS = ("runc", "gvisor", "reference")
REGISTRIES = ("pypi", "npm")
"""Groups of hosts; others were not reached where this was written."""
OWNER = 1000
"""Whose a clone is, where root runs this: as most folders, and most images' users."""


class Unusable(Exception):
    """Nothing can be measured; the text says why, the second argument what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", metavar="WORD,...", help="projects named so")
    parser.add_argument("--ways", default=",".join(WAYS), help="default: %(default)s")
    parser.add_argument("--repositories", type=Path, metavar="FOLDER", help="instead of GitHub")
    parser.add_argument("--kept", action="store_true", help="measure nothing: what is kept")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page to FILE")
    args = parser.parse_args()
    every = projects()
    words = args.only.split(",")
    chosen = [each for each in every if any(word in each.name for word in words)]
    try:
        if not args.kept:
            measure(chosen, args.ways.split(","), args.repositories)
    except (Unusable, real_images.Missing, private.EngineError, packages.InstallError) as error:
        print(f"error: {error.args[0]}", file=sys.stderr)
        for hint in error.args[1:]:
            print(f"hint: {hint}", file=sys.stderr)
        return 4
    page = real_page.render(every, kept())
    if args.write:
        args.write.write_text(page)
    print(page)
    return 0


def projects() -> list[Project]:
    with LIST.open("rb") as file:
        return [Project(**entry) for entry in tomllib.load(file)["project"]]


def measure(chosen: list[Project], ways: list[str], repositories: Path | None) -> None:
    """Live each life, and keep what came of it as soon as it is over.

    :raises Unusable, Missing, EngineError, InstallError: a repository, the images, the engine cannot be had
    """
    if unknown := set(ways) - set(WAYS):
        raise Unusable(f"there is no way `{unknown.pop()}`", f"the ways are {', '.join(WAYS)}")
    if "reference" in ways and (why := real_reference.missing()):
        raise Unusable(why, "or leave it out: `--ways runc,gvisor`")
    with tempfile.TemporaryDirectory(prefix="real-projects-") as folder:
        home = Path(folder)
        sources = {each.name: clone(each, home / "sources", repositories) for each in chosen}
        with engine(sorted({image for each in chosen for image in each.images})) as host:
            for project in chosen:
                for way in ways:
                    print(f"{project.name}, {way}", file=sys.stderr)
                    steps = one_life(project, way, sources[project.name], home, host)
                    keep(project, way, steps)
                    for step in steps:
                        print(f"  {step}", file=sys.stderr)


def clone(project: Project, folder: Path, repositories: Path | None) -> Path:
    """A clone at the project's commit, with no way back to where it is from.

    :raises Unusable: it is not to be had
    """
    source = f"https://github.com/{project.name}"
    if repositories is not None:
        owner, _, name = project.name.partition("/")
        places = (repositories / f"{owner}+{name}" / "repo", repositories / owner / name)
        source = next((str(place) for place in places if place.is_dir()), "")
        if not source:
            raise Unusable(f"`{places[0]}` is not there", f"clone it there: `{project.name}`")
    target = folder / project.name.replace("/", "+")
    words = ["git", "clone", "--quiet", "--no-hardlinks", source, str(target)]
    checkout = ["git", "-C", str(target), "checkout", "--quiet", "-B", "main", project.commit]
    for command in (words, checkout, ["git", "-C", str(target), "remote", "remove", "origin"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unusable(
                f"`{project.name}` cannot be cloned: {done.stderr.strip()[-300:]}",
                "name a folder that has it: `--repositories FOLDER`",
            )
    return target


@contextlib.contextmanager
def engine(images: list[str]) -> Iterator[str]:
    """The value of DOCKER_HOST of an engine that has `images`."""
    if given := os.environ.get("DOCKER_HOST"):
        yield given
        return
    arguments = [f"--dns={registry_wire.NAME_SERVER}"]
    started = private.start(f"real-{os.getpid()}", owner=os.getpid(), arguments=arguments)
    try:
        names = [host.pattern.host for name in REGISTRIES for host in group.load(name).hosts]
        with registry_wire.wire(listeners.engine_pid(started.docker_host), names):
            real_images.make(started.docker_host, images)
            yield started.docker_host
    finally:
        private.stop(started.folder)


def one_life(project: Project, way: str, source: Path, home: Path, host: str) -> list[Step]:
    """In a home and a clone that are nobody's, and are gone afterwards."""
    with tempfile.TemporaryDirectory(dir=home) as user:
        # As people keep them: what lies beside a project is no home.
        folder = Path(user) / "src" / project.name.partition("/")[2]
        shutil.copytree(source, folder, symlinks=True)
        if project.change:
            subprocess.run(project.change, shell=True, cwd=folder, check=True)
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.lchown(path, OWNER, OWNER)
        life = Life(project, folder, environment(Path(user), home, host))
        return real_reference.live(life) if way == "reference" else live(life, way)


def environment(user: Path, home: Path, host: str) -> dict[str, str]:
    """A person with a name in git; what is tried once for each runtime is shared by all."""
    (user / "run").mkdir(mode=0o700)
    (user / ".gitconfig").write_text(
        "[user]\n\tname = Ann\n\temail = ann@example.org\n[safe]\n\tdirectory = *\n"
    )
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(user),
        "XDG_RUNTIME_DIR": str(user / "run"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DOCKER_HOST": host,
        "SANDBOXD_NO_DAEMON": "1",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "80",
    }


def kept() -> dict[str, dict[str, list[Step]]]:
    """By project and way."""
    if not KEPT.is_file():
        return {}
    stored = json.loads(KEPT.read_text())
    return {
        name: {way: [Step(*step) for step in steps] for way, steps in ways.items()}
        for name, ways in stored.items()
    }


def keep(project: Project, way: str, steps: list[Step]) -> None:
    results = kept()
    results.setdefault(project.name, {})[way] = steps
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    sys.exit(main())
