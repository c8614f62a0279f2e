"""Print the JSON schema of sandboxd.toml, for editors that check TOML files by one.

`sandboxd schema > FILE`, then name FILE in the settings of Taplo or Even Better TOML. An editor that
runs `sandboxd lsp` needs no schema: the language server knows more.
"""

from __future__ import annotations

import argparse

from sandboxd.errors import EXIT_OK

HELP = "print the JSON schema of sandboxd.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command takes no arguments."""


def run(_args: argparse.Namespace) -> int:
    from sandboxd.cli import config_schema

    print(config_schema.text(), end="")
    return EXIT_OK
