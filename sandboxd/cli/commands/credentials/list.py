"""List the credentials that you have, where their secrets are, and the services that there are.

It reads no secret. What a service admits is what any program in a sandbox that uses it can do.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli.commands.credentials import _naming

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "list them, and the services that there are"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    from sandboxd.credentials import own_services, records, service, services

    listed = records.load(os.environ)
    if args.json:
        import json

        document = {
            "version": 1,
            "credentials": [
                {"name": str(each.name), "source": each.source, "place": list(each.place)}
                for each in listed
            ],
            "services": [*services.names(), *own_services.names()],
        }
        print(json.dumps(document, indent=2))
        return 0
    width = max((len(str(each.name)) for each in listed), default=0)
    for each in listed:
        name = terminal.paint(f"{each.name!s:<{width}}", terminal.BOLD)
        unused = f"; not used: {each.problem}" if each.problem else ""
        _naming.show(name, width, f"{each.where()}{unused}")
    having = {each.name.service for each in listed}
    everything = (*services.names(), *own_services.names())
    others = [name for name in everything if name not in having]
    if others:
        terminal.verdict("services that you have no secret of:")
    for name in others:
        terminal.verdict(f"- {name}: {service.load(name).secret}")
    terminal.verdict("`sandboxd credentials add NAME` says where a secret is")
    return 0
