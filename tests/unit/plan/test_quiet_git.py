"""Git on what is hostile runs within limits, which hold from its first instruction on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandboxd.plan import quiet_git

KINDS = ("RLIMIT_FSIZE", "RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_CPU")
SHOW = f"import json, resource as r; print(json.dumps([r.getrlimit(getattr(r, k)) for k in {KINDS!r}]))"
WRITTEN = 1 << 20


def run(*words: str, written: int = WRITTEN, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the words in the place of git."""
    command = quiet_git.limited(words, written)
    return subprocess.run(command, capture_output=True, check=False, **more)


def python(script: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", script, *words)


def test_each_limit_holds_from_the_start() -> None:
    shown = json.loads(run(*python(SHOW)).stdout)
    assert dict(zip(KINDS, shown, strict=True)) == {
        "RLIMIT_FSIZE": [WRITTEN] * 2,
        "RLIMIT_AS": [16 << 30] * 2,
        "RLIMIT_DATA": [2 << 30] * 2,
        # The signal of the first one is seen before the second kills it.
        "RLIMIT_CPU": [quiet_git.SECONDS, quiet_git.SECONDS + 5],
    }


def test_a_limit_of_this_process_that_is_lower_stays() -> None:
    script = f"""
import resource, subprocess, sys
sys.path.insert(0, {os.fspath(Path(quiet_git.__file__).parents[2])!r})
from sandboxd.plan import quiet_git
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
resource.setrlimit(resource.RLIMIT_CPU, (7, 7))
show = [sys.executable, "-I", "-S", "-c", {SHOW!r}]
sys.exit(subprocess.run(quiet_git.limited(show, {WRITTEN})).returncode)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    shown = dict(zip(KINDS, json.loads(done.stdout), strict=True))
    assert (shown["RLIMIT_FSIZE"], shown["RLIMIT_CPU"]) == ([4096, 4096], [7, 7])


def test_a_file_that_grows_beyond_its_limit_ends_it(tmp_path: Path) -> None:
    # Python ignores the signal, which git does not.
    script = "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
    script += f"with open(sys.argv[1], 'wb') as file: file.write(bytes({WRITTEN + 1}))"
    done = run(*python(script, os.fspath(tmp_path / "file")))
    assert done.returncode == -signal.SIGXFSZ
    assert (tmp_path / "file").stat().st_size <= WRITTEN
    assert quiet_git.ended(done.returncode) == "it would have written without end"


def test_memory_without_end_is_refused() -> None:
    done = run(*python(f"bytearray({3 << 30})"))
    assert (done.returncode, b"MemoryError" in done.stderr) == (1, True)


def test_a_processor_without_end_is_told_by_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_git, "SECONDS", 1)
    done = run(*python("while True: pass"))
    assert done.returncode == -signal.SIGXCPU
    assert quiet_git.ended(done.returncode) == "it took more than 1 s of a processor"


def test_words_pass_as_they_are_and_input_and_status_too() -> None:
    words = ["", "a b", "$(exit 3)", "`x`", "'\"", "\n", "-c", "*", "\udcff"]
    script = (
        "import sys; print(ascii(sys.argv[1:])); sys.stdout.write(sys.stdin.read()); sys.exit(7)"
    )
    done = run(*python(script, *words), input=b"in")
    assert (done.returncode, done.stdout) == (7, f"{words!a}\nin".encode())


def test_the_exit_code_is_said_where_nothing_else_is_known() -> None:
    assert quiet_git.ended(3) == "exit code 3"
