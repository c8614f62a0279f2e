"""The part of `credentials add` and `test` for keys that stay in the user's SSH agent."""

from __future__ import annotations

import os

from sandboxd.errors import UnreadableError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.credentials.name import Name
    from sandboxd.credentials.records import Record


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `add ssh`."""
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="of `ssh`: a key of your agent, by its fingerprint (`ssh-add -l`) or the file with `.pub`; "
        "can be given more than once",
    )
    parser.add_argument(
        "--host",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="of `ssh`: a host that the keys may log in to; can be given more than once",
    )


def record(name: Name, args: argparse.Namespace) -> Record:
    """The record of keys and hosts that was typed.

    :raises UsageError: a key or a host is missing, or is none
    :raises NoSecret: nobody knows a host's keys
    """
    from sandboxd.credentials import ssh_keys
    from sandboxd.credentials.records import SSH_AGENT, Record
    from sandboxd.credentials.ssh_agent import known_hosts

    if args.keyring or args.file or args.env is not None or args.command is not None:
        raise UsageError(f"`{name}` has no secret: keys stay in your agent", _usage(name))
    if not args.key or not args.host:
        raise UsageError(f"`{name}` needs the keys and the hosts that they are for", _usage(name))
    for host in args.host:
        if not ssh_keys.HOST.fullmatch(host):
            raise UsageError(f"`{host}` is not a host name", _usage(name))
        if not known_hosts.keys_of(host, os.environ):
            raise ssh_keys.unknown(host)
    keys = [_fingerprint(text) for text in args.key]
    return Record(name, SSH_AGENT, (*dict.fromkeys(keys), *dict.fromkeys(args.host)))


def test(each: Record) -> tuple[str, str, str]:
    """Whether the agent has the keys and the hosts are known: the state and what is said of it."""
    from sandboxd.credentials import ssh_keys

    chosen = ssh_keys.choose(each, os.environ)
    listed = ssh_keys.present(os.environ)
    keys = ", ".join(f"{key} ({listed[key]})" for key in chosen.keys if key in listed)
    hosts = ", ".join(host.name for host in chosen.hosts)
    return "not asked", f"your agent has {keys}; known hosts: {hosts}", ""


def _fingerprint(text: str) -> str:
    """The fingerprint that `text` is, or of the public key in the file that it names.

    :raises UsageError: it is neither
    """
    from sandboxd.credentials import ssh_keys
    from sandboxd.credentials.ssh_agent import wire
    from sandboxd.files import decode, read_bytes

    if ssh_keys.FINGERPRINT.fullmatch(text):
        return text
    hint = "name the file with `.pub`, or a fingerprint that `ssh-add -l` shows"
    try:
        words = decode(read_bytes(os.path.expanduser(text))).split()
    except UnreadableError as error:
        raise UsageError(f"`{text}` {error.message}", hint) from None
    import base64

    try:
        return wire.fingerprint(base64.b64decode(words[1], validate=True))
    except (IndexError, ValueError):
        raise UsageError(f"`{text}` holds no public key", hint) from None


def _usage(name: Name) -> str:
    return f"`sandboxd credentials add {name} --key ~/.ssh/id_ed25519.pub --host github.com`"
