"""New entries go to a collector, each once; what it does not take is said and sent again."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.audit import collector
from sandboxd.audit.collector import Collector
from sandboxd.audit.entry import FIRST, Entry
from sandboxd.errors import EnvironmentFailure, UsageError


def entries(count: int) -> list[Entry]:
    return [Entry(n, float(n), "start", "/p", "dev", {}, FIRST) for n in range(1, count + 1)]


class Stub:
    """A collector; `answer` is what it says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any, Any]] = []
        self.answer: tuple[int, bytes] = (200, b"{}")
        of = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                of.requests.append((self.path, self.headers, json.loads(body)))
                status, text = of.answer
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()
                self.wfile.write(text)

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def numbers(self) -> list[int]:
        return [
            int(record["attributes"][0]["value"]["intValue"])
            for _, _, document in self.requests
            for record in document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stub() -> Iterator[Stub]:
    one = Stub()
    yield one
    one.close()


def test_each_entry_is_sent_once_with_the_fields_that_the_user_names(
    stub: Stub, tmp_path: Path
) -> None:
    to = collector.collector(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{stub.url}/",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x-team = one",
        }
    )
    assert collector.send_new(entries(2), str(tmp_path), to, "1") == 2
    assert collector.send_new(entries(3), str(tmp_path), to, "1") == 1
    assert collector.send_new(entries(3), str(tmp_path), to, "1") == 0
    assert stub.numbers() == [1, 2, 3]
    path, headers, _ = stub.requests[0]
    assert path == "/v1/logs"
    sent = [headers[name] for name in ("Content-Type", "api-key", "x-team")]
    assert sent == ["application/json", "a b", "one"]
    assert "a b" not in repr(to)


def test_many_go_in_several_requests(stub: Stub, tmp_path: Path) -> None:
    count = 2 * collector.MOST_AT_ONCE + 1
    to = Collector(f"{stub.url}/v1/logs")
    assert collector.send_new(entries(count), str(tmp_path), to, "1") == count
    assert len(stub.requests) == 3
    assert stub.numbers() == list(range(1, count + 1))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((503, b""), "answers 503"),
        ((302, b""), "answers 302"),
        ((200, b'{"partialSuccess": {"rejectedLogRecords": "2"}}'), "rejects 2 of them"),
    ],
)
def test_what_is_not_taken_is_said_and_sent_again(
    stub: Stub, tmp_path: Path, answer: tuple[int, bytes], why: str
) -> None:
    to = Collector(f"{stub.url}/v1/logs")
    stub.answer = answer
    with pytest.raises(EnvironmentFailure, match=why):
        collector.send_new(entries(2), str(tmp_path), to, "1")
    stub.answer = (200, b"no JSON")
    assert collector.send_new(entries(2), str(tmp_path), to, "1") == 2


def test_another_collector_and_a_new_record_begin_at_the_first(stub: Stub, tmp_path: Path) -> None:
    one, other = Collector(f"{stub.url}/one"), Collector(f"{stub.url}/other")
    assert collector.send_new(entries(3), str(tmp_path), one, "1") == 3
    assert collector.send_new(entries(3), str(tmp_path), other, "1") == 3
    assert collector.send_new(entries(1), str(tmp_path), other, "1") == 1


def test_nobody_there_is_said(tmp_path: Path, stub: Stub) -> None:
    stub.close()
    with pytest.raises(EnvironmentFailure, match="after 0 entries: connection refused"):
        collector.send_new(entries(1), str(tmp_path), Collector(f"{stub.url}/v1/logs"), "1")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c.test"}, "https://c.test/v1/logs"),
        (
            {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c.test/x", "OTEL_EXPORTER_OTLP_ENDPOINT": "y"},
            "http://c.test/x",
        ),
    ],
)  # fmt: skip
def test_its_address_is_where_programs_of_its_kind_look(environ: dict[str, str], url: str) -> None:
    assert collector.collector(environ) == Collector(url)


@pytest.mark.parametrize("value", ["", "grpc://c.test", "file:///etc/passwd", "c.test:4318"])
def test_no_url_of_http_is_none(value: str) -> None:
    with pytest.raises(UsageError):
        collector.collector({"OTEL_EXPORTER_OTLP_ENDPOINT": value})


def test_an_entry_that_got_an_old_number_is_sent(stub: Stub, tmp_path: Path) -> None:
    to = Collector(f"{stub.url}/v1/logs")
    assert collector.send_new(entries(3), str(tmp_path), to, "1") == 3
    again = [*entries(2), entries(3)[2]._replace(kind="stop"), entries(4)[3]]
    assert collector.send_new(again, str(tmp_path), to, "1") == 4
    assert collector.send_new(again, str(tmp_path), to, "1") == 0
    # Entries that were rotated away are no reason to send the rest again.
    assert collector.send_new([entries(6)[5]], str(tmp_path), to, "1") == 1


def test_a_named_pipe_in_place_of_the_cursor_holds_nobody_up(stub: Stub, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sent.json")
    to = Collector(f"{stub.url}/v1/logs")
    assert collector.send_new(entries(2), str(tmp_path), to, "1") == 2
    assert collector.send_new(entries(2), str(tmp_path), to, "1") == 0
