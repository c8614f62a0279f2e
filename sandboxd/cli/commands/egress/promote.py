"""Make a name a rule of sandboxd.toml: it is added to `[network] allow`, and nothing else changes.

The rule counts once you trust the file (`sandboxd trust add`); until then an approval that you gave goes on.
Where the file has no such list yet, the groups that the profile allows for the project's files are written
down with it, since a list takes their place.
"""

from __future__ import annotations

from sandboxd import terminal
from sandboxd.cli.commands.egress import _asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "make a name a rule of sandboxd.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    _asking.add_host(parser, on=False)


def run(args: argparse.Namespace) -> int:
    answer = _asking.ask(args, "promote", text=args.host)
    entries = ", ".join(f"`{entry}`" for entry in answer["entries"])
    terminal.status(f"wrote {entries} to `[network] allow` of `{answer['path']}`")
    if answer["carried"]:
        groups = ", ".join(f"`{group}`" for group in answer["carried"])
        terminal.status(f"and {groups}, which the profile had allowed: the list takes their place")
    terminal.status(
        "hint: look at the file, then run `sandboxd trust add`: until then it does not count"
    )
    return 0
