"""Start the project's sandbox as planned, or leave it alone when it runs like that already.

With `--verify` it is attacked from inside once it runs, as by `sandboxd verify`, whose exit codes then
count, too; it goes on running whatever the result.

An image that has to be built from a Dockerfile or with Features is built when it is not there yet, by
the engine's builder, outside of the runtime: that needs a grant (`sandboxd trust add`).

Then the lifecycle hooks of the config, its Features and its image run inside, where the profile runs them:
those of a creation once for each container, `postStartCommand` once for each start, `postAttachCommand`
each time. One that fails leaves the sandbox running, ends the run with exit code 1, and runs again at the next
`sandboxd up`.

`--env-file` gives values inside that are in no file of the project: their names are said, the container's own
description does not have them, and programs inside can read them. A secret that a tool need not have at all is
better kept outside: `sandboxd credentials add`.

A sandbox that is halted, since something that is shut inside was replaced on the host, stays so until `--recreate`
makes its container, and so its mounts, anew: what runs in it ends, its files stay. Where it was `sandboxd.toml`
alone, `up` does so without the option.

A changed plan or image replaces the container, and so does `--recreate`. A private copy is taken up again as
it was left, `--fresh` begins with a new one. Nothing is left of a failed start.

`--timing` shows what the start took, and what ran side by side: the engine's interface, the start of the
container by its runtime, the gateway, hooks, services, and sandboxd itself. `--json` prints it with all else that
is known of the start.

`--on CONTEXT` starts it on a Kubernetes cluster, in the namespace of that context of your kubeconfig, with a private
copy of the workspace that goes there: `docs/kubernetes.md`. What git ignores stays here.

With `--name` several sandboxes work on one project side by side, each in a private copy of its own.
"""

from __future__ import annotations

import sys
import time

from sandboxd import terminal
from sandboxd.cli import arguments, losses, start_timing
from sandboxd.cli.commands import _grants, _sandbox
from sandboxd.cli.images import start_with_images
from sandboxd.errors import EXIT_FINDINGS, EXIT_OK, SandboxdError, UsageError
from sandboxd.operations.on_cluster.options import ClusterOptions
from sandboxd.operations.start_options import StartOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.operations.started import StartedDocument, TimingDocument

HELP = "start the project's sandbox"

NEEDS = {**arguments.needs(StartOptions), "verify": "verify at the start", "timing": "time starts"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    _sandbox.add_no_daemon(parser)
    arguments.add(parser, StartOptions)
    arguments.add(parser, ClusterOptions, before="with --on: ")
    parser.add_argument(
        "--all",
        action="store_true",
        help="say every control that is not in force in full, not only what is new since the last start",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--timing", action="store_true", help="show what the start took, and what ran side by side"
    )
    parser.add_argument(
        "--verify", action="store_true", help="then attack it from inside and say whether it holds"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli.on_cluster import options as of_cluster

    if args.on:
        from sandboxd.cli.on_cluster import starting

        return starting.up(_sandbox.target(args), args, _grants.grants(args))
    of_cluster.refuse_here(args)
    if args.verify and args.json:
        raise UsageError(
            "`--json` prints the start alone", "leave `--verify` out, then `sandboxd verify --json`"
        )
    directory = _sandbox.folder(args)
    options = arguments.chosen(args, StartOptions, name=_sandbox.name(args))
    began = time.monotonic()
    started: StartedDocument = start_with_images(
        "start", directory, options, starts_daemon=not args.no_daemon
    )
    assert started["timing"] is not None
    timing = start_timing.of_command(started["timing"], (time.monotonic() - began) * 1000)
    runtime = started["runtime"] or "the engine's default"
    if started["gvisor"]:
        runtime += " (gVisor)"
    terminal.status(f"{started['how']}: profile {started['profile']}, runtime {runtime}")
    _say_what_is_lost(started, args.all)
    for line in started["opened"]:
        terminal.entry("port", line)
    for line in started["ports_left"]:
        terminal.entry("port", line, terminal.YELLOW)
    if started["how"] != "already running" and not started["problem"]:
        terminal.entry("next", next_step(started, options.name))
    if args.timing:
        terminal.lines(start_timing.screen(timing, terminal.width_of(sys.stderr)))
    if args.json:
        _print_json(started, timing)
    else:
        print(terminal.printable(started["name"]))
    if started["problem"]:
        terminal.error(SandboxdError(started["problem"], started["hint"]))
        return EXIT_FINDINGS
    if not args.verify:
        return EXIT_OK
    from sandboxd.cli.verdict_report import conclude
    from sandboxd.cli.verifying import verify_sandbox
    from sandboxd.operations.options import VerifyOptions

    verification = verify_sandbox(directory, VerifyOptions(name=args.name))
    conclude(verification)
    return verification.verdict.exit_code


def next_step(started: StartedDocument, name: str) -> str:
    """The commands for working in a sandbox that was started, and for opening its ports.

    :param name: of the sandbox, '' for the one without
    """
    import shlex

    from sandboxd.model.sandbox_id import option_of

    option = option_of(name)
    shell, forward = f"`sandboxd shell{option}`", f"sandboxd forward{option}"
    if started["opened"]:
        return f"{shell} opens a terminal inside"
    if not started["ports"]:
        return f"{shell} opens a terminal inside; `{forward}` shows what listens there"
    command = shlex.join([*forward.split(), *started["ports"]])
    addresses = ", ".join(started["addresses"])
    return f"{shell} opens a terminal inside; `{command}` opens {addresses}"


def _print_json(started: StartedDocument, timing: TimingDocument) -> None:
    import json

    document = {"version": 1, **started, "timing": start_timing.document(timing)}
    print(json.dumps(document, indent=2))


def _say_what_is_lost(started: StartedDocument, everything: bool) -> None:
    """Print the parts of devcontainer.json that are left out, and the controls that are not in force.

    Of the latter what is new since the last start, grouped where it is much; the rest is counted.
    """
    if started["stand_ins"]:
        paths = ", ".join(f"`{path}`" for path in started["stand_ins"])
        end = (
            "the generated files name them, so they stay"
            if started["stand_ins_stay"]
            else "`sandboxd down` takes them away"
        )
        terminal.entry("put here", f"{paths}: empty, to be read-only or in memory inside; {end}")
    if started["left_out"]:
        items = ", ".join(started["left_out"])
        text = f"of your devcontainer.json: {items}; `sandboxd explain-plan` says why"
        terminal.entry("left out", text, terminal.YELLOW)
    shown = started["downgrades"] if everything else started["news"]
    losses.say(shown, everything)
    before = len(started["downgrades"]) - len(shown)
    if before:
        terminal.entry("not in force", f"{before} as at the last start: `sandboxd up --all`")
