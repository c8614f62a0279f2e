"""`./dev audit` with the real pip-audit, against a service that answers with recorded facts."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import audit

# As the service answers about PyYAML 5.3.1, cut to what is read.
KNOWN = {
    "pyyaml": {
        "vulns": [
            {
                "id": "GHSA-8q59-q68h-6hv4",
                "summary": "Improper Input Validation in PyYAML",
                "details": "A vulnerability was discovered in the PyYAML library",
                "aliases": ["CVE-2020-14343", "PYSEC-2021-142"],
                "published": "2021-03-25T21:26:26Z",
                "modified": "2024-10-25T21:45:24Z",
                "affected": [
                    {
                        "package": {"name": "pyyaml", "ecosystem": "PyPI"},
                        "ranges": [
                            {
                                "type": "ECOSYSTEM",
                                "events": [{"introduced": "0"}, {"fixed": "5.4"}],
                            }
                        ],
                        "versions": ["5.3.1"],
                    }
                ],
            }
        ]
    }
}


class Service(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = KNOWN if question["version"] == "5.3.1" else {}
        body = json.dumps(known.get(question["package"]["name"].lower(), {})).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: pytest shows what is wrong."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if audit.missing():
        pytest.skip(audit.missing())
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    server.server_close()


def lock(folder: Path, version: str) -> Path:
    path = folder / "lock.txt"
    path.write_text(f"pyyaml=={version} \\\n    --hash=sha256:{'0' * 64}\n")
    return path


def test_a_known_vulnerability(
    service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.audit([lock(tmp_path, "5.3.1")], service) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("pyyaml 5.3.1: ")
    assert "CVE-2020-14343" in shown.out and "fixed in 5.4" in shown.out
    assert "1 versions judged, 1 known" in shown.err


def test_nothing_is_known(service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.audit([lock(tmp_path, "6.0.3")], service) == 0
    assert capsys.readouterr().out == ""


def test_the_runtime_lock_is_asked_about(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.audit(audit.LOCKS[:1], service) == 0
    # What is only for another system is not judged on this one.
    pattern = r"^[\w.-]+==\S+(?: ; sys_platform == 'linux')? \\$"
    count = len(re.findall(pattern, audit.LOCKS[0].read_text(), re.MULTILINE))
    assert f"{count} versions judged, 0 known" in capsys.readouterr().err


def test_no_service(service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = "http://127.0.0.1:9/v1/query"
    assert audit.audit([lock(tmp_path, "6.0.3")], nobody) == 4
    shown = capsys.readouterr().err
    assert shown.startswith("error: the vulnerability service gave no answer: ")
    assert "\nhint: run `./dev audit` where" in shown


def test_what_was_skipped_is_not_sound(capsys: pytest.CaptureFixture[str]) -> None:
    """As pip-audit answers where the index can be reached, but not what it knows of versions."""
    rows = [
        {"name": "attrs", "version": "26.1.0", "vulns": []},
        {"name": "pygls", "skip_reason": "Dependency not found on PyPI and could not be audited"},
    ]
    assert audit._report(rows) == 4
    assert "1 packages were not judged: pygls" in capsys.readouterr().err
