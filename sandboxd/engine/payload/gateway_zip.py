"""The program of a gateway in a Pod: one file that the Python of any image runs, small enough for a ConfigMap.

`python -I -S -B gateway.zip` has the archive alone on its module path, so neither variables nor packages of the
image take part. Sources and not bytecode, since the image's Python is another one than this.
"""

from __future__ import annotations

import io
import zipfile

from sandboxd.engine.payload.gateway_image import program_modules
from sandboxd.errors import EnvironmentFailure

PROGRAM = "sandboxd.egress.gateway.pod"

_MAIN = f"""import sys

if sys.version_info < (3, 11):
    sys.exit(f"the gateway needs Python 3.11 or later, and this image has {{sys.version.split()[0]}}")

from {PROGRAM} import main

main(sys.argv[1:])
"""
_LARGEST = 180 * 1024
"""`kubectl apply` notes each object in an annotation of it, which holds 256 KiB, and base64 makes 4 bytes of 3."""

_TIME = (1980, 1, 1, 0, 0, 0)


def archive() -> bytes:
    """The program with all of our modules that it needs, as a zip; equal for equal sources.

    :raises EnvironmentFailure: a part of the program is not installed, or it is too large for a ConfigMap
    """
    modules, _ = program_modules(PROGRAM)
    files = {module.path: module.source for module in modules.values()}
    files["__main__.py"] = _MAIN.encode()
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as packed:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, files[path], compresslevel=9)
    if len(result.getvalue()) > _LARGEST:
        raise EnvironmentFailure(
            f"the gateway's program has {len(result.getvalue())} bytes, more than a ConfigMap takes",
            "report it: this is a fault of sandboxd",
        )
    return result.getvalue()
