"""The second check of a tunnel: if it begins with TLS, TLS must ask for the name that was dialled."""

from __future__ import annotations

from sandboxd.egress.gateway.client_hello import BadHello, Hello, HelloReader, is_tls
from sandboxd.egress.names import NotAName, normal


class Refused(Exception):
    """The tunnel must not go on; the message is for a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class FirstBytes:
    """Holds the first bytes of a client back until they are checked."""

    def __init__(self, name: str, needs_sni: bool) -> None:
        self._name, self._needs_sni = name, needs_sni
        self._reader, self._held = HelloReader(), bytearray()
        self.decided = False

    @property
    def holds(self) -> bool:
        """Whether some bytes wait for more."""
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """The bytes that may be passed on; b"" as long as more must be seen. Once `decided`, feed no more.

        :raises Refused: it is TLS for another server, or hides for which one
        """
        self._held += data
        if not is_tls(self._held):
            if self._needs_sni:
                raise Refused("sni", "not TLS, where a server's name is needed")
            return self._release()
        try:
            hello = self._reader.feed(data)
        except BadHello as error:
            raise Refused("sni", f"a hello of TLS that is {error}") from None
        if hello is None:
            return b""
        self._judge(hello)
        return self._release()

    def _judge(self, hello: Hello) -> None:
        if hello.server_name:
            try:
                same = normal(hello.server_name) == self._name
            except NotAName:
                same = False
            if not same:
                raise Refused("sni", hello.server_name)
        elif self._needs_sni:
            raise Refused("sni", "TLS without a server's name")
        if hello.hides_name and self._needs_sni:
            raise Refused("sni", "TLS that hides the server's name")

    def _release(self) -> bytes:
        self.decided = True
        held = bytes(self._held)
        self._held.clear()
        return held
