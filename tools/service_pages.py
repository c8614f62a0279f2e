"""docs/credential-services.md, from the services that ship."""

from __future__ import annotations

from sandboxd.credentials import service, services
from sandboxd.credentials.service import Endpoint, Service

_HEAD = """# Services of credentials

`use = ["NAME"]` below `[credentials]` in sandboxd.toml lets the tools of a sandbox use a service with your
secret, which the gateway adds for the hosts, methods and paths below and for nothing else
([credentials.md](credentials.md)). A path stands for all below it.

What a program inside sees are the variables: the gateway's address, and a placeholder where a tool wants
a secret. A service is one file in `sandboxd/credentials/services/`.

"""


def page() -> str:
    """All services at a glance, then each with its hosts and variables."""
    loaded = [service.load(name) for name in services.names()]
    text = _HEAD + "| service | the secret |\n|---|---|\n"
    for each in loaded:
        text += f"| [{each.name}](#{each.name}) | {each.secret} |\n"
    return text + "".join(map(_service, loaded))


def _service(each: Service) -> str:
    text = f"\n## {each.name}\n\n{each.title}, by {each.secret} (<{each.source}>). What it admits: "
    text += f"{each.admits}. What is not served: {each.limits}.\n\n"
    if each.endpoints:
        text += "| host | methods | paths | how it is sent |\n|---|---|---|---|\n"
        text += "".join(map(_endpoint, each.endpoints))
    names = ", ".join(f"`{variable.name}`" for variable in each.variables)
    text += f"\nVariables: {names}.\n"
    if each.rewrites:
        prefixes = [f"`{prefix}`" for rewrite in each.rewrites for prefix in rewrite.prefixes]
        text += f"Git uses the gateway for {', '.join(prefixes)}.\n"
    if each.groups:
        groups = ", ".join(f"[{name}](network-groups.md#{name})" for name in each.groups)
        text += f"Groups of hosts that its tools reach beside it: {groups}.\n"
    return text


def _endpoint(endpoint: Endpoint) -> str:
    methods = ", ".join(endpoint.methods) or "every"
    paths = ", ".join(f"`{path}`" for path in endpoint.paths)
    return f"| `{endpoint.host}` | {methods} | {paths} | `{endpoint.header}`, {endpoint.scheme} |\n"
