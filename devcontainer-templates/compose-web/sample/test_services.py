"""The application reaches its services, and has what it needs to log in."""

import os
import socket
import struct
import unittest
from pathlib import Path
from urllib.parse import urlsplit


class ServicesTest(unittest.TestCase):
    def test_the_cache_answers(self) -> None:
        cache = urlsplit(os.environ["REDIS_URL"])
        with socket.create_connection((cache.hostname, cache.port), timeout=10) as link:
            link.sendall(b"PING\r\n")
            self.assertEqual(link.recv(64), b"+PONG\r\n")

    def test_the_database_asks_for_the_password(self) -> None:
        wanted = {"user": "DATABASE_USER", "database": "DATABASE_NAME"}
        said = b"".join(
            key.encode() + b"\0" + os.environ[name].encode() + b"\0" for key, name in wanted.items()
        )
        # Length, protocol 3.0, and what a client says of itself.
        start = struct.pack("!ii", len(said) + 9, 3 << 16) + said + b"\0"
        with socket.create_connection((os.environ["DATABASE_HOST"], 5432), timeout=10) as link:
            link.sendall(start)
            answer = link.recv(1024)
        self.assertEqual(answer[:1], b"R", answer)
        self.assertIn(b"SCRAM-SHA-256", answer)

    def test_the_password_is_there(self) -> None:
        password = Path(os.environ["DATABASE_PASSWORD_FILE"]).read_text()
        self.assertGreater(len(password.strip()), 20)


if __name__ == "__main__":
    unittest.main()
