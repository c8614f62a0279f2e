"""What a wheel installs besides the package: files that are made from the code."""

from __future__ import annotations

from importlib import import_module

from sandboxd.cli import command_tree, config_schema
from sandboxd.cli.commands.completion import shells
from tools import man_page

_COMPLETIONS = {
    "bash": "share/bash-completion/completions/sandboxd",
    "fish": "share/fish/vendor_completions.d/sandboxd.fish",
    "zsh": "share/zsh/site-functions/_sandboxd",
}


def files() -> dict[str, str]:
    """Path below the prefix (`/usr`, an environment) -> text."""
    commands = command_tree.commands()
    texts = {
        _COMPLETIONS[shell]: import_module(f"sandboxd.cli.completions.{shell}").script(commands)
        for shell in shells()
    }
    texts["share/man/man1/sandboxd.1"] = man_page.page()
    texts["share/sandboxd/sandboxd.schema.json"] = config_schema.text()
    return texts
