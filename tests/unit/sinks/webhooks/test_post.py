"""A request has an answer whatever happens, in words that do not show where it went."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sinks.webhooks.post import Answer, post, session
from tests.receiver import LOST, SILENT, Receiver


def send(url: str, timeout_s: float = 30) -> Answer:
    async def once() -> Answer:
        async with session(timeout_s) as client:
            return await post(client, url, {"webhook-id": "m1", "content-type": "application/json"}, b"{}")

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("status", "taken", "gone", "words"),
    [
        (200, True, False, "answered 200 OK"), (204, True, False, "answered 204 No Content"),
        (302, False, False, "answered 302 Found"), (404, False, False, "answered 404 Not Found"),
        (410, False, True, "answered 410 Gone"), (500, False, False, "answered 500 Internal Server Error"),
    ],
)  # fmt: skip
def test_an_answer_is_told_apart(status: int, taken: bool, gone: bool, words: str) -> None:
    with Receiver(lambda request: (status, {"Location": "/elsewhere"})) as receiver:
        answer = send(receiver.url)
    assert (answer.status, answer.taken, answer.gone, answer.words) == (status, taken, gone, words)
    assert len(receiver.requests) == 1, "a redirect was followed"
    assert receiver.requests[0].body == b"{}"
    assert answer.body == ("" if status == 204 else "you said 1")


@pytest.mark.parametrize(
    ("value", "micros"), [("7", 7_000_000), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-1", 0)]
)
def test_a_receiver_may_say_when_to_come_again(value: str, micros: int) -> None:
    with Receiver(lambda request: (429, {"Retry-After": value})) as receiver:
        assert send(receiver.url).retry_after == micros


def test_a_receiver_that_is_silent_has_failed() -> None:
    with Receiver(lambda request: SILENT) as receiver:
        assert send(receiver.url, 0.3) == Answer(None, "no answer within 0.3 s")


def test_a_connection_that_is_lost_or_refused_has_failed() -> None:
    with Receiver(lambda request: LOST) as receiver:
        assert send(receiver.url).words == "no answer: ServerDisconnectedError"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/services/T0KEN"
        answer = send(url)
    assert answer.status is None
    assert answer.words.startswith("no connection: ")
    assert "T0KEN" not in str(answer)


def test_a_status_counts_though_its_body_never_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        async def half() -> Answer:
            loop = asyncio.get_running_loop()
            async with session(1) as client:
                answer = asyncio.create_task(post(client, url, {}, b"{}"))
                peer, _ = await loop.run_in_executor(None, server.accept)
                with peer:
                    await loop.run_in_executor(None, peer.recv, 1000)
                    peer.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
                    return await answer

        assert asyncio.run(half()) == Answer(200, "answered 200 OK")
