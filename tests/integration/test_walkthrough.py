"""docs/from-limit-to-webhook.md, as it stands: each command, each answer, each webhook."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from tests.integration import ledger, walkthrough
from tests.integration.fleet import Fleet
from tests.integration.notices import begun
from tests.receiver import Receiver
from tests.tidy.source import ROOT

PAGE = ROOT / "docs" / "from-limit-to-webhook.md"
ADDRESS = "http://127.0.0.1:8808"
WAIT_S = 60
TOLD = [
    "entitlement.denied", "entitlement.granted", "entitlement.granted", "threshold.breached", "threshold.breached",
    "threshold.recovered", "threshold.recovered",
]  # fmt: skip


class Walk:
    """The page under way, in a folder of its own."""

    def __init__(self, fleet: Fleet, receiver: Receiver) -> None:
        self.fleet = fleet
        self.receiver = receiver
        self._here = receiver.url.removesuffix("/hook")
        fleet.settings["AZOTTE_CONFIG"] = str(fleet.folder / "azotte.toml")

    def write(self, name: str, text: str) -> None:
        (self.fleet.folder / name).write_text(text.replace(ADDRESS, self._here))

    def run(self, command: walkthrough.Command) -> None:
        environment = self.fleet.environment()
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        done = subprocess.run(
            ["sh", "-c", command.line],
            cwd=self.fleet.folder, env=environment, capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command.line, done.stderr, self.fleet.logs())
        wanted, found = command.answer.splitlines(), done.stdout.replace(self._here, ADDRESS).splitlines()
        assert walkthrough.alike(wanted, found), (command.line, wanted, found)

    def comes(self, wanted: dict[str, Any]) -> None:
        """Wait for a webhook that no step before had."""

        def came() -> bool:
            return any(walkthrough.alike(wanted, each.document) for each in list(self.receiver.requests))

        def all_that_came() -> str:
            bodies = "\n".join(each.body.decode() for each in self.receiver.requests)
            return f"{bodies}\n{self.fleet.logs()}"

        ledger.until(came, WAIT_S, str(wanted), all_that_came)


def test_the_page_is_true(kafka: str, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    folder.mkdir()
    fleet = Fleet(kafka, f"walk-{uuid.uuid4().hex[:8]}.", folder, partitions=2)
    fleet.make_topics(append_time=True)
    with Receiver() as receiver:
        walk = Walk(fleet, receiver)
        try:
            for step in walkthrough.steps(PAGE):
                if isinstance(step, walkthrough.Command):
                    walk.run(step)
                elif isinstance(step, dict):
                    walk.comes(step)
                else:
                    walk.write(*step)
                    if step[0] == "azotte.toml":
                        fleet.start("worker", "worker")
                        begun(fleet, "crm", ("threshold.breached", "entitlement.granted"))
            # The page shows one of the two recoveries.
            ledger.until(lambda: len(types(receiver)) >= len(TOLD), WAIT_S, "the last webhook", fleet.logs)
        finally:
            fleet.stop()
    assert types(receiver) == TOLD


def types(receiver: Receiver) -> list[str]:
    """What the account was told, sorted."""
    told = [each.document for each in list(receiver.requests)]
    return sorted(each["type"] for each in told if each["data"]["account"] == "cust-1")
