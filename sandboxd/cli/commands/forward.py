"""Open ports of the project's sandbox on this machine, until Ctrl-C.

`PORT`, or `PORT:LOCAL` for another number here, and `db:5432` for a port of the service `db` of its Compose
project; without any, say what listens inside. It goes through the
engine: a sandbox without a network has its ports forwarded, too, and programs that listen inside on
`localhost` alone are reached. Any protocol over TCP.

With `--on CONTEXT` it goes through a command in the Pod, as `exec` does.

Only this machine reaches them, unless `--address` says otherwise. While the sandbox is away, connections wait
for it. With `--until-eof` it ends when its standard input does: an editor or a script that holds the other end and
dies, by whatever signal, takes it along.
"""

from __future__ import annotations

import json
import os

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.backends.backend import Backend
    from sandboxd.forward.forwarder import Forwarded
    from sandboxd.forward.ports import Wish

HELP = "open ports of the project's sandbox on this machine"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    parser.add_argument("ports", nargs="*", metavar="[SERVICE:]PORT[:LOCAL]", help="a port inside")
    parser.add_argument(
        "--address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="listen there; others may reach the sandbox then (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="end with standard input, whose other end another program holds",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON: what listens, or a line for each port as soon as it is open",
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.forward.ports import parse

    directory = _sandbox.folder(args)
    wishes = [parse(text) for text in args.ports]
    return _forward(args, directory, wishes) if wishes else _list(args, directory)


def _list(args: argparse.Namespace, directory: str) -> int:
    from sandboxd.operations.forward import list_listeners

    listeners = list_listeners(_sandbox.backend(args), directory, _sandbox.name(args))
    if args.json:
        print(
            json.dumps({"version": 1, "listening": [listener._asdict() for listener in listeners]})
        )
        return EXIT_OK
    for listener in listeners:
        program = terminal.one_line(listener.program) or "not seen"
        print(f"{listener.port:<6} {program}")
    if not listeners:
        terminal.status("nothing listens inside")
    return EXIT_OK


def _forward(args: argparse.Namespace, directory: str, wishes: list[Wish]) -> int:
    from sandboxd.cli.stopping import at_end_of_input, stopped_by_signals
    from sandboxd.operations.forward import prepare

    backend, name = _sandbox.backend(args), _sandbox.name(args)
    forwarder = prepare(backend, directory, os.environ, wishes, args.address, terminal.status, name)
    try:
        if args.until_eof:
            at_end_of_input(forwarder.stop)
        for port in forwarder.ports:
            print(_line(port, args.address, as_json=args.json), flush=True)
        _say_what_is_closed(backend, directory, name, wishes)
        with stopped_by_signals(forwarder.stop):
            forwarder.run()
    finally:
        forwarder.close()
    return EXIT_OK


def _line(port: Forwarded, address: str, *, as_json: bool) -> str:
    host = f"[{address}]" if ":" in address else address
    scheme, where = ("", f"of `{port.service}`") if port.service else ("http://", "inside")
    target = f"{scheme}{host}:{port.local}"
    if as_json:
        return json.dumps({"port": port.inside, "service": port.service, "address": target})
    return f"{target} -> port {port.inside} {where}"


def _say_what_is_closed(backend: Backend, directory: str, name: str, wishes: list[Wish]) -> None:
    """Name the ports on which nothing listens inside yet; what cannot be asked is left to the connections."""
    from sandboxd.errors import SandboxdError
    from sandboxd.operations.forward import list_listeners

    try:
        listeners = list_listeners(backend, directory, name)
    except SandboxdError:
        return
    open_inside = {listener.port for listener in listeners}
    for wish in wishes:
        if not wish.service and wish.inside not in open_inside:
            terminal.status(f"nothing listens on port {wish.inside} inside yet")
