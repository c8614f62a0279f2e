"""Certificates of tests, with the extensions that Python asks for since 3.13 (RFC 5280, section 4.2.1)."""

from __future__ import annotations

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_AUTHORITY = "keyUsage=critical,digitalSignature,keyCertSign,cRLSign"


def self_signed(folder: Path, common_name: str, *hosts: str, key: str, certificate: str) -> None:
    """One that vouches for itself and for `hosts`: the files `key` and `certificate` in `folder`.

    :raises FileNotFoundError: there is no openssl
    """
    names = ",".join(f"DNS:{host}" for host in hosts)
    more = ("-addext", f"subjectAltName={names}") if hosts else ()
    _openssl(
        folder,
        *("req", "-x509", "-days", "2", *_KEY, "-addext", _AUTHORITY, *more),
        *("-subj", f"/CN={common_name}", "-keyout", key, "-out", certificate),
    )


def signed(folder: Path, common_name: str, *extensions: str, key: str, certificate: str) -> None:
    """One that `ca.pem` and `ca.key` of `folder` vouch for, with `extensions` as openssl spells them.

    :raises FileNotFoundError: there is no openssl
    """
    request, listed = folder / f"{certificate}.request", folder / f"{certificate}.extensions"
    _openssl(
        folder, "req", *_KEY, "-subj", f"/CN={common_name}", "-keyout", key, "-out", str(request)
    )
    lines = ("basicConstraints=CA:FALSE", "authorityKeyIdentifier=keyid", *extensions)
    listed.write_text("".join(f"{line}\n" for line in lines))
    _openssl(
        folder,
        *("x509", "-req", "-days", "2", "-in", str(request), "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-extfile", str(listed), "-out", certificate),
    )


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
