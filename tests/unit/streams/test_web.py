"""Web pages are where a process listens before it starts; of two that want one port, one is told so."""

from __future__ import annotations

import asyncio
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import socket
from threading import Barrier
from typing import Any

import pytest

from streams.app import build
from streams.kafka import Stop
from streams.web import listen, url
from tests.unit.streams.fakes import settings

HERE = "127.0.0.1"
PATIENT_S = 10


def port(listening: socket) -> int:
    return int(listening.getsockname()[1])


def test_a_port_that_is_taken_is_told_with_what_to_change() -> None:
    with listen(HERE, 0) as first:
        told = f"web port {port(first)} is taken: set AZOTTE_WEB_PORT to a free port, or to 0 for any"
        with pytest.raises(Stop, match=told):
            listen(HERE, port(first))


def test_of_two_that_start_at_once_on_one_port_one_has_it_and_the_other_is_told() -> None:
    with listen(HERE, 0) as free:
        wanted = port(free)
    together = Barrier(2)

    def start() -> socket | str:
        together.wait(PATIENT_S)
        try:
            return listen(HERE, wanted)
        except Stop as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        found = [each.result(PATIENT_S) for each in [pool.submit(start) for _ in range(2)]]
    (won,) = [each for each in found if isinstance(each, socket)]
    won.close()
    (lost,) = [each for each in found if isinstance(each, str)]
    assert lost.startswith(f"web port {wanted} is taken: ")


def test_where_the_next_free_port_will_do_one_that_is_taken_is_passed_over() -> None:
    with listen(HERE, 0) as first, listen(HERE, port(first), tried=100) as second:
        assert port(first) < port(second) < port(first) + 100


def test_a_host_that_is_none_of_this_machine_s_is_told() -> None:
    with pytest.raises(Stop, match=r"web_host 192\.0\.2\.1 cannot be used \(.*\): set AZOTTE_WEB_HOST"):
        listen("192.0.2.1", 0)
    with pytest.raises(
        Stop, match=r"web_host no\.such\.host\.invalid cannot be used \(.*\): set AZOTTE_WEB_HOST"
    ):
        listen("no.such.host.invalid", 0)


def test_the_pages_are_served_where_it_listens(tmp_path: Path) -> None:
    def ask(address: str) -> bytes:
        with urllib.request.urlopen(address, timeout=PATIENT_S) as answer:
            return bytes(answer.read())

    async def main(listening: socket) -> bytes:
        app = build(settings(home=tmp_path, stages="control"), listening)
        pages: Any = app.web
        await pages.start_server()
        try:
            return await asyncio.to_thread(ask, f"{url(listening)}/healthz")
        finally:
            await pages.stop_server()
            app.slot.close()

    with listen(HERE, 0) as listening:
        assert asyncio.run(main(listening)) == b"ok\n"
