"""TLS to an engine: the caller's certificate, and the one authority that may have signed the engine's."""

from __future__ import annotations

import os
import ssl

from sandboxd.engine.contexts import TlsFiles
from sandboxd.engine.unreachable import CertificatesError
from sandboxd.tls import accept_old_authorities


def context_of(tls: TlsFiles) -> ssl.SSLContext:
    """The TLS context for connections to an engine.

    The SDK's own `TLSConfig` is not used: with it, urllib3 refuses certificates made as Docker's
    pages describe it, from Python 3.13 on.

    :raises CertificatesError: a file is missing or invalid
    """
    try:
        if tls.verify:
            # Only this authority: the system's would let any web server play the engine.
            context = ssl.create_default_context(cafile=os.path.join(tls.folder, "ca.pem"))
        else:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        accept_old_authorities(context).load_cert_chain(
            os.path.join(tls.folder, "cert.pem"), os.path.join(tls.folder, "key.pem")
        )
    except OSError as error:
        raise CertificatesError(f"{tls.folder}: {error.strerror or error}") from None
    return context
