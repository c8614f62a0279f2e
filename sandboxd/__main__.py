"""Entry point. `status`, `check` and `lsp` must cost little more than Python itself."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    if sys.stdout is not None and sys.stdout.encoding.lower() != "utf-8":
        # A terminal without `✓` shows `?`: the word beside each symbol says the same.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    if sys.argv[1:2] == ["status"]:
        from sandboxd.ipc.fast_status import fast_status

        code = fast_status(sys.argv[2:])
        if code is not None:
            return code
    if sys.argv[1:2] == ["lsp"]:
        from sandboxd.ipc.pipe import fast_lsp

        fast_lsp(sys.argv[2:])
    from sandboxd.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
