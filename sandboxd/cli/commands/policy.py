"""The floor: what an organisation and you demand of every project, and what it does to this one.

`/etc/sandboxd/policy.toml`, then `policy.toml` in your config folder (`~/.config/sandboxd`). Both
hold, and each can only take away:

    profiles = ["dev", "agent", "review", "untrusted"]   # those that may be chosen
    runtime = "gvisor"                                   # else nothing runs
    network = "none"                                     # or "allow": names only, no open network
    network_allow = ["pypi", "github", "*.corp.example"] # all that any sandbox may reach by name
    network_deny = ["*.ngrok.io"]                        # never reached, whatever allows it
    network_private = false                              # no private address is reached
    layout = "clone"                                     # no sandbox has the host's folder itself
    credentials = ["github"]                             # services that may be used with your secrets
    capabilities = []                                    # those that a sandboxd.toml may add
    gpus = false                                         # no graphics processor is passed in
    allow_runc = false                                   # `--allow-runc` counts for nothing
    nested_sandbox = "off"                               # bubblewrap inside gets no calls for it
    clusters = ["team", "https://10.0.0.1:6443"]         # where `--on` may lead: contexts, API servers; [] is nowhere
    cluster_namespaces = ["sandboxes"]                   # the namespaces there
    cluster_secrets = false                              # `--secrets-on-cluster` is refused
    daemon = false                                       # no command starts the daemon by itself
    trust = false                                        # no grants of `sandboxd trust`
    enforce = ["docker-socket-mounted"]                  # rules that nothing suppresses in `check`
    caches = "20GiB"                                     # all caches of packages together, at most
    limits = { memory = "8g", processes = 2048 }         # the largest, as under `[limits]` in sandboxd.toml
    gateway_image = "corp.example/gateway@sha256:..."    # for engines of another system: it takes nothing
    network_proxy = "http://proxy.corp.example:3128"     # gateways go out by it: it takes nothing
    network_proxy_except = ["*.corp.example"]            # names that are dialled without that proxy
    network_ca = "/etc/ssl/corp-ca.pem"                  # trusted inside and by gateways, too: it takes nothing

An unknown key, or a file that cannot be read, stops every command that plans a sandbox, or goes
to a cluster.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.errors import EXIT_OK

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.policy.floor import Floor

HELP = "what is demanded of every project, by whom"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("show", "explain"),
        default="show",
        help="show the demands, or explain what they do to a project",
    )
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")


def run(args: argparse.Namespace) -> int:
    from sandboxd import rules
    from sandboxd.policy import floor

    effective = floor.load(os.environ, rule_ids=rules.ids())
    for demand in effective.demands:
        print(f"{demand.key} = {_toml(demand.value)}  ({terminal.one_line(demand.path)})")
    if not effective.demands:
        user = os.path.join(floor.user_folder(os.environ), floor.FILE_NAME)
        terminal.status(
            f"nothing is demanded: neither `{floor.ORGANISATION}` nor `{user}` is there"
        )
    if args.action == "explain":
        _explain(args.path, effective)
    return EXIT_OK


def _explain(path: str, effective: Floor) -> None:
    from sandboxd.plan import profiles
    from sandboxd.plan.floor import apply, runtime
    from sandboxd.project import Project

    project = Project.open(path, os.environ)
    config = project.config
    before = project.profile
    hosts = project.hosts()
    granted = project.is_trusted(None, hosts)
    after, narrowed = apply(before, config, effective, granted, hosts)
    runtime(after, narrowed, effective)
    changes = [
        f"{field.replace('_', ' ')}: {_toml(old)} becomes {_toml(new)}"
        for field, old, new in zip(profiles.Profile._fields, before, after, strict=True)
        if old != new
    ]
    if narrowed != config:
        changes.append("the network that sandboxd.toml asks for is not given")
    print(f"{terminal.one_line(project.workspace)}: profile {before.name} is allowed")
    for change in changes or ["nothing of it changes"]:
        print(f"  {change}")
    for line in (*_elsewhere(config), *_settings_without_effect(config, effective)):
        print(f"  {line}")


def _elsewhere(config: Config) -> list[str]:
    """The cluster that the project names, if no work may go there."""
    if config.where is None:
        return []
    from sandboxd.operations.on_cluster import where

    words, why_not = where.destination(config.where.value, os.environ)
    return [terminal.one_line(f"no work goes to {words}: {why_not}")] if why_not else []


def _settings_without_effect(config: Config, effective: Floor) -> list[str]:
    """The project's own rule settings that do not count."""
    settings = [(allow.rule, "`[[allow]]`") for allow in config.allow]
    settings += [(rule, f"`[rules]` level `{level}`") for (rule, level), _ in config.rules]
    return [
        f"{what} for {rule} cannot make less of it: `{terminal.one_line(effective.enforced[rule])}`"
        for rule, what in settings
        if rule in effective.enforced
    ]


def _toml(value: object) -> str:
    import json

    from sandboxd.plan.profiles import Network

    if isinstance(value, Network):
        value = value.mode
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(list(value) if isinstance(value, tuple | frozenset) else value)
