"""TLS to servers whose certificates others made by hand or long ago."""

from __future__ import annotations

import ssl


def accept_old_authorities(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have `context` accept authorities without a key usage or a key identifier; returns it.

    Python refuses those from 3.13 on (`ssl.VERIFY_X509_STRICT`), while kubectl and docker accept them. The chain of
    signatures, the time and the name are checked as before.
    """
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
