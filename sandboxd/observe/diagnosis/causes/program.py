"""Failures that are the same without a sandbox: no such program, another machine's program, a company's certificate."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.observe.diagnosis.case import Answer, find_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.observe.diagnosis.case import Failure, Sandbox

_NOT_FOUND = re.compile(r"(?:^|: )([^ :]+): (?:command )?not found$")
_CERTIFICATE = re.compile(
    r"unable to get local issuer certificate|self[- ]signed certificate in certificate chain|CERTIFICATE_VERIFY_FAILED"
    r"|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN"
)


def find(failure: Failure, _sandbox: Sandbox) -> Iterator[Answer]:
    """An answer where the image lacks the program, or cannot run it, or does not know an authority."""
    hit = find_line(failure, _NOT_FOUND) if failure.exit_code == 127 else None
    if hit is not None:
        because = f"the image has no program `{hit[1]}`"
        yield Answer("", because, "image", "add it to the image", "", is_certain=True)
    if find_line(failure, re.compile(r"Exec format error")) is not None:
        because = "the program is for another kind of processor or system"
        yield Answer("", because, "image", "", "", is_certain=True)
    if find_line(failure, _CERTIFICATE) is not None:
        because = "no authority that the image knows has signed the server's certificate"
        change = "`network_ca` in policy.toml, if a proxy of your company opens TLS"
        yield Answer("", because, "image", change)
