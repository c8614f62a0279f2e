"""docs/network-groups.md, from the groups of hosts that ship."""

from __future__ import annotations

from sandboxd.egress import group, groups
from sandboxd.egress.group import Group, Host, UsedBy

_HEAD = """# Groups of hosts

`allow = ["NAME"]` below `[network]` in sandboxd.toml lets a sandbox reach the hosts of a group, by the
ports that are listed and no others. Profile `dev` allows those groups by itself that the project's
files call for; `sandboxd explain-plan` says which, and by what.

Each host is there because its owner's page says what it is for. What a name admits beyond that, no
gateway can know without opening TLS: **an allowed host can carry data out**, and behind an address that
a content network shares, a program can ask for another of its customers inside the encrypted
connection. Where names share addresses, TLS that does not name its server is refused (marked *).

A group is one file in `sandboxd/egress/groups/`.

"""


def page() -> str:
    """All groups at a glance, then each with its hosts."""
    loaded = [group.load(name) for name in groups.names()]
    text = _HEAD + "| group | for | used by |\n|---|---|---|\n"
    for each in loaded:
        text += f"| [{each.name}](#{each.name}) | {each.purpose} | {_used_by(each.used_by)} |\n"
    return text + "".join(map(_group, loaded))


def _used_by(used_by: UsedBy) -> str:
    texts = []
    if used_by.files:
        texts.append("files " + ", ".join(f"`{name}`" for name in used_by.files))
    if used_by.images:
        texts.append("images that name " + ", ".join(f"`{word}`" for word in used_by.images))
    if used_by.remotes:
        texts.append("Git remotes at " + ", ".join(f"`{host}`" for host in used_by.remotes))
    return "; ".join(texts) or "sandboxd.toml alone"


def _group(each: Group) -> str:
    text = f"\n## {each.name}\n\n{each.purpose[0].upper()}{each.purpose[1:]}. Beyond that: "
    text += f"{each.admits}.\n\n| host | ports | what for | source |\n|---|---|---|---|\n"
    return text + "".join(map(_host, each.hosts))


def _host(host: Host) -> str:
    ports = ", ".join(map(str, host.ports))
    mark = " *" if host.needs_sni else ""
    return f"| `{host.pattern}`{mark} | {ports} | {host.why} | <{host.source}> |\n"
