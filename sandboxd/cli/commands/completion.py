"""Print a script that completes sandboxd's commands, options and values in a shell.

    sandboxd completion bash > ~/.local/share/bash-completion/completions/sandboxd
    sandboxd completion zsh > ~/.zfunc/_sandboxd        # a folder of your $fpath
    sandboxd completion fish > ~/.config/fish/completions/sandboxd.fish

Make the folder first where it is missing. To try it out in the shell that is open:

    source <(sandboxd completion bash)

The script is for this version: write it again after an upgrade.
"""

from __future__ import annotations

import argparse
import os

from sandboxd.errors import EXIT_OK

HELP = "print the completion script of a shell"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=shells(), help="the shell that will read it")


def shells() -> list[str]:
    """The shells with a completion script: the modules of `sandboxd.cli.completions`."""
    from sandboxd.cli import completions

    names = os.listdir(os.path.dirname(completions.__file__))
    return sorted(name[:-3] for name in names if name.endswith(".py") and name[0] != "_")


def run(args: argparse.Namespace) -> int:
    from importlib import import_module

    from sandboxd.cli import command_tree

    shell = import_module(f"sandboxd.cli.completions.{args.shell}")
    print(shell.script(command_tree.commands()), end="")
    return EXIT_OK
