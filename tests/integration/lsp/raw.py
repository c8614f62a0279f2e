"""`sandboxd lsp` of this checkout, and a client that may say anything to it, well-formed or not."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tools.lsp_client import LspClient


class RawClient(LspClient):
    """Runs `sandboxd lsp`, or another program of this Python; use it as a context manager."""

    def __init__(
        self,
        *more: str,
        environ: dict[str, str] | None = None,
        command: Sequence[str] = ("-P", "-m", "sandboxd", "lsp"),
        reads: bool = True,
    ) -> None:
        super().__init__([sys.executable, *command, *more], environ, reads=reads)
