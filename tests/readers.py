"""The readers that our parsers are held against: what each makes of a text."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

JSONC_PARSER = "jsonc-parser@3.3.1"
_PARSE = """
const {parse} = require("jsonc-parser");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const read = (text) => { const errors = []; const value = parse(text, errors, {allowTrailingComma: true});
  return [value === undefined ? null : value, errors.length]; };
console.log(JSON.stringify(texts.map(read)));
"""


def compose(texts: list[str], folder: Path) -> list[Any]:
    """The services that Compose reads in each text; None for one that it refuses."""
    known: dict[str, Any] = {}
    with ThreadPoolExecutor(2) as pool:
        jobs = {
            text: pool.submit(_compose, text, folder / str(number))
            for number, text in enumerate(dict.fromkeys(texts))
        }
        known = {text: job.result() for text, job in jobs.items()}
    return [known[text] for text in texts]


def _compose(text: str, folder: Path) -> Any:
    project = folder / "project"
    project.mkdir(parents=True, exist_ok=True)
    (project / "compose.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["docker-compose", "--profile", "*", "config", "--format", "json", "--no-path-resolution"],
        cwd=project,
        env={"HOME": "/home/dev", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        return None
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    # The one that `tests.spellings` lets another extend.
    services.pop("zz", None)
    return services


def jsonc_parser(
    folders: pytest.TempPathFactory,
) -> Callable[[list[str]], list[tuple[Any, int]]]:
    """jsonc-parser, by which the dev container CLI reads: of each text its value, and how many errors."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no `{program}`: install nodejs and npm")
    folder = folders.mktemp("jsonc-parser")
    subprocess.run(
        [
            "npm",
            "install",
            "--silent",
            "--no-save",
            "--ignore-scripts",
            "--prefix",
            folder,
            JSONC_PARSER,
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )

    def parse(texts: list[str]) -> list[tuple[Any, int]]:
        done = subprocess.run(
            ["node", "-e", _PARSE],
            cwd=folder,
            input=json.dumps(texts),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return [(value, errors) for value, errors in json.loads(done.stdout)]

    return parse
