"""The parser of commands, in a module of its own: importing `argparse` costs what a check does."""

from __future__ import annotations

import argparse
from typing import NoReturn

from sandboxd.errors import UsageError


class Parser(argparse.ArgumentParser):
    """Reports a usage error like every other error."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"see `{self.prog} --help`")
