"""Asking a gateway over HTTP, as a customer does."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.integration import ledger
from tests.integration.fleet import Fleet

ANSWER_S = 90
READY_S = 60
LOOK_S = 0.05


class Client:
    """One gateway of a fleet, and a key that is good for it."""

    def __init__(self, fleet: Fleet, name: str, key: str) -> None:
        self.fleet, self.name, self.key = fleet, name, key
        self.address = ""

    def start(self, **extra: str) -> None:
        """Start it, and wait until it answers."""
        log = self.fleet.folder / f"{self.name}.log"
        before = log.stat().st_size if log.exists() else 0
        self.fleet.start(self.name, "gateway", extra={"AZOTTE_GATEWAY_PORT": "0"} | extra)

        def ready() -> bool:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.fleet.running[self.name].wait(LOOK_S)
                raise AssertionError(self.fleet.logs())
            found = re.search(r"gateway: (http://\S+)", log.read_text()[before:])
            if found is None:
                return False
            self.address = found[1]
            return self.ask("GET", "/readyz")[0] == 200

        ledger.until(ready, READY_S, "the gateway", self.fleet.logs)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and body; status 0 where nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(
            self.address + path, data, {"Authorization": f"Bearer {self.key}"} | headers, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=ANSWER_S) as answer:
                return answer.status, _body(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _body(error.read())
        except (urllib.error.URLError, ConnectionError, http.client.HTTPException):
            return 0, None


def _body(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except json.JSONDecodeError:
        return text.decode()


def make_key(fleet: Fleet, tenant: str, *scopes: str) -> str:
    """A key of a tenant, made as a person makes one."""
    program = str(Path(sys.executable).with_name("azotte"))
    options = [part for scope in scopes for part in ("--scope", scope)]
    made = subprocess.run(
        [program, "gateway", "key", tenant, *options],
        env=fleet.environment(), capture_output=True, text=True, check=True, timeout=ANSWER_S,
    )  # fmt: skip
    return made.stdout.strip()
