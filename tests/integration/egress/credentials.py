"""A tool inside that was told the URL of a service, and the host's end that has the secret."""

from __future__ import annotations

import http.client
from typing import Any

from sandboxd.egress.broker import Binding
from sandboxd.egress.broker_wire import Credentials, credentials_to_json
from sandboxd.egress.layout import GATEWAY_NAME
from sandboxd.egress.policy import Policy
from tests.integration.egress.credential_service import VALUE
from tests.integration.egress.namespaces import MORE_INTERNET, PLACE
from tests.integration.egress.program import Event, Program
from tests.integration.egress.workspace import Workspace

PORT, HOST = 8101, "api.example"
BINDING = Binding(
    service="stub",
    port=PORT,
    host=HOST,
    host_port=443,
    header="Authorization",
    value=VALUE,
    strip=("x-more-rights",),
    methods=("GET", "POST", "HEAD"),
    paths=("/v1",),
    extra=(("X-Version", "7"),),
)
POLICY = Policy(credentials=(("stub", PORT),))
ADDRESS = MORE_INTERNET[0]
OWN = f"{GATEWAY_NAME}:{PORT}"


def give(program: Program, credentials: Credentials) -> Event:
    after = program.last
    program.send({"op": "credentials", **credentials_to_json(credentials), "mark": "m"})
    return program.wait(lambda event: event["event"] in ("credentials", "refused"), after)


class Client(http.client.HTTPConnection):
    """A tool inside, which was told the URL."""

    def __init__(self, workspace: Workspace, host: str = OWN) -> None:
        super().__init__(host)
        self._workspace = workspace

    def connect(self) -> None:
        self.sock = self._workspace.tcp(PLACE.gateway, PORT)

    def ask(
        self, path: str, method: str = "GET", body: Any = None, **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.request(method, path, body, named)
        answer = self.getresponse()
        return answer.status, answer.read(), answer.headers


def credential(program: Program, outcome: str, after: int = 0) -> Event:
    return program.wait(
        lambda event: event["event"] == "credential" and event["outcome"] == outcome, after
    )
