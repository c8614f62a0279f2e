"""Reads from a failed build's output which step failed. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

_MOST_LINES = 12
_LONGEST_LINE = 300

# Marks that package managers and the engine's builder put around their words.
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# The dev container CLI says when each line of its own came.
_TIME = re.compile(r"^\[(\d+ ms|\d{4}-\d\d-\d\dT[\d:.]+Z)\] ")
# It calls a Feature of a local folder `Unknown`.
_NO_ID = "Unknown"
_FEATURE = re.compile(r'Feature "(?P<name>[^"]{0,300})" \((?P<id>[^)]{0,300})\) failed to install')
# The engine's old builder: `Step 3/4 : RUN make`, what it writes about its own containers, and the end of a failure.
_OLD_STEP = re.compile(r"^Step (?P<number>\d+/\d+) : (?P<words>.*)")
_OLD_OWN = re.compile(r"^ ?---> |^Removing intermediate container |^Sending build context ")
_OLD_END = re.compile(r"^The command '.*' returned a non-zero code: \d+")
# BuildKit: `#7 [3/4] RUN make`, `#7 0.12 output`, `#7 ERROR: process ... exit code: 2`.
_LINE = re.compile(r"^#(?P<vertex>\d+) (?P<rest>.*)")
_STEP = re.compile(r"^\[(?P<number>[^\]]*)\] (?P<words>.*)")
_OUTPUT = re.compile(r"^\d+\.\d+ (?P<text>.*)")


class Failed(NamedTuple):
    """The step of a build that failed, and the last lines of its output.

    `step` is '' where it is not known; `lines` are hostile text, each without its line end.
    """

    step: str
    lines: tuple[str, ...]


def read(written: bytes, folder: str) -> Failed:
    """The failure in `written`, the output of a build.

    :param folder: the folder in which it ran, which is left out of the text
    """
    text = _COLOURS.sub("", written.decode("utf-8", "replace")).replace(folder, "")
    # A line that is drawn again and again is what was written last.
    lines = [_TIME.sub("", line.rstrip().rpartition("\r")[2]) for line in text.split("\n")]
    step, output = _of_buildkit(lines)
    if not step:
        step, output = _of_old_builder(lines)
    feature = next((hit for line in lines if (hit := _FEATURE.search(line))), None)
    if feature is not None:
        name = feature["name"] if feature["id"] in ("", _NO_ID) else feature["id"]
        step = f"the installation of the Feature `{name}`"
    shown = [line for line in output if line.strip()] or [line for line in lines if line.strip()]
    return Failed(step, tuple(line.strip()[:_LONGEST_LINE] for line in shown[-_MOST_LINES:]))


def _of_buildkit(lines: list[str]) -> tuple[str, list[str]]:
    steps, output, failed = dict[str, str](), dict[str, list[str]](), ""
    for line in lines:
        if not (match := _LINE.match(line)):
            continue
        vertex, rest = match["vertex"], match["rest"]
        if hit := _STEP.match(rest):
            steps.setdefault(vertex, f"`{hit['words']}` ({hit['number']})")
        elif hit := _OUTPUT.match(rest):
            output.setdefault(vertex, []).append(hit["text"])
        elif rest.startswith("ERROR"):
            failed = vertex
            output.setdefault(vertex, []).append(rest)
    return steps.get(failed, ""), output.get(failed, [])


def _of_old_builder(lines: list[str]) -> tuple[str, list[str]]:
    step, output = "", list[str]()
    for line in lines:
        if hit := _OLD_STEP.match(line):
            step, output = f"`{hit['words']}` ({hit['number']})", []
        elif _OLD_END.match(line):
            break
        elif not _OLD_OWN.match(line):
            output.append(line)
    return step, output if step else []
