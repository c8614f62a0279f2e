"""The name of a credential: a service, and where the user has several accounts of it, which one."""

from __future__ import annotations

import re
from typing import NamedTuple

from sandboxd.credentials import own_services, services

ACCOUNT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A regular expression for names of accounts, which the user chooses."""

_ACCOUNT = re.compile(ACCOUNT)


class NotACredential(ValueError):
    """The text is no name of a credential; the message is a clause that follows "`TEXT`"."""


class UnknownService(NotACredential):
    """There is no service of that name."""


class Name(NamedTuple):
    """The name of a credential: a service, as ``github``, or a service with an account, as ``github:work``.

    `account` is '' for none.
    """

    service: str
    account: str = ""

    def __str__(self) -> str:
        return f"{self.service}:{self.account}" if self.account else self.service


def parse(text: str) -> Name:
    """The name in `text`.

    :raises UnknownService: there is no such service
    :raises NotACredential: the account is not of the form of a name
    """
    name = parse_recorded(text)
    if name.service not in services.names() and name.service not in own_services.names():
        raise UnknownService("names no service that ships")
    return name


def parse_recorded(text: str) -> Name:
    """As `parse`; a service of the user's own need not be described any more."""
    service, colon, account = text.partition(":")
    if service not in services.names() and not own_services.is_name(service):
        raise UnknownService("names no service that ships")
    if colon and not _ACCOUNT.fullmatch(account):
        raise NotACredential(
            "has no account behind the colon: letters, digits, `.`, `_` and `-`, 64 at most"
        )
    return Name(service, account)


def pattern() -> str:
    """A regular expression for a name with an account, for JSON schemas."""
    return f"^(({'|'.join(services.names())}):{ACCOUNT}|{own_services.NAME}(:{ACCOUNT})?)$"
