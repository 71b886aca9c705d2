"""The routes: who asks, what they ask, and the answer as JSON. Errors are problems; what is decided is the desk's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rating.reservations import HoldKey
from schemas.catalog.scalars import ID, KEY
from schemas.gateway import Reserve, read_commit, read_model
from streams import clock, metrics
from streams.gateway import openapi
from streams.gateway.binary import is_binary, structured
from streams.gateway.bodies import body_of, parsed
from streams.gateway.desk import Desk
from streams.gateway.events import Away, Checked, check, split
from streams.gateway.idle import Idle
from streams.gateway.keeper import Lost, Write
from streams.gateway.keys import ApiKey, Keys
from streams.gateway.parts import Asking, Keeping, Publishing
from streams.gateway.peers import FORWARDED
from streams.gateway.problems import Problem, of_http, unavailable
from streams.gateway.rates import Rates
from streams.gateway.reserve import commit, release, reserve
from streams.settings import Settings

log = logging.getLogger("azotte")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AGAIN_S = 0.1
ACCOUNT = "/v1/tenants/{tenant}/accounts/{account}"


class Routes:
    """Everything that the gateway answers."""

    def __init__(
        self, settings: Settings, keys: Keys, desk: Desk, publisher: Publishing, keeper: Keeping,
        peers: Asking, waiting: Callable[[], str | None],
    ) -> None:  # fmt: skip
        """`waiting` says what the gateway waits for before it can answer, if for anything."""
        self._settings = settings
        self._keys = keys
        self._desk = desk
        self._publisher = publisher
        self._keeper = keeper
        self._peers = peers
        self._waiting = waiting
        self.idle = Idle(settings.gateway_timeout / 1e6)
        self._rates = Rates(settings.gateway_requests_per_s)
        self._document = msgspec.json.encode(openapi.document())

    def application(self) -> web.Application:
        """What aiohttp serves."""
        app = web.Application(
            client_max_size=self._settings.gateway_body_bytes_max,
            middlewares=[self.idle.middleware(), _answering],
        )
        app.router.add_get(f"{ACCOUNT}/features/{{feature}}", self.access, allow_head=False)
        app.router.add_post(f"{ACCOUNT}/reservations", self.reserve)
        app.router.add_post(f"{ACCOUNT}/reservations/{{id}}/commit", self.commit)
        app.router.add_delete(f"{ACCOUNT}/reservations/{{id}}", self.release)
        app.router.add_post("/v1/events", self.events)
        app.router.add_post("/api/v1/events", self.events_alone)
        app.router.add_get("/openapi.json", self.openapi)
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)
        return app

    async def access(self, request: web.Request) -> web.StreamResponse:
        tenant, account = self._account(request, "read")
        feature, subject = request.match_info["feature"], request.query.get("subject")
        _named("feature", feature, KEY)
        if subject is not None:
            _named("subject", subject, ID)

        async def here() -> web.Response:
            return _json(self._desk.access(tenant, account, feature, subject, clock.now()))

        return await self._decided(request, tenant, account, here)

    async def reserve(self, request: web.Request) -> web.StreamResponse:
        tenant, account = self._account(request, "ingest")
        asked = parsed(lambda body: read_model(Reserve, body), await self._body(request))
        most = self._settings.gateway_reservations_max

        async def here() -> web.Response:
            reply = reserve(self._desk, tenant, account, asked, clock.now(), most)
            await self._written(HoldKey(tenant, account, asked.id), reply.write)
            return _json(reply.body, 201)

        return await self._decided(request, tenant, account, here)

    async def commit(self, request: web.Request) -> web.StreamResponse:
        tenant, account, name = self._reservation(request)
        event = parsed(read_commit, await self._body(request))
        most = self._settings.event_bytes_max

        async def here() -> web.Response:
            reply = commit(self._desk, tenant, account, name, event, clock.now(), most)
            await self._written(HoldKey(tenant, account, name), reply.write)
            return _json(reply.body, 202)

        return await self._decided(request, tenant, account, here)

    async def release(self, request: web.Request) -> web.StreamResponse:
        tenant, account, name = self._reservation(request)

        async def here() -> web.Response:
            write = release(self._desk, tenant, account, name, clock.now())
            await self._written(HoldKey(tenant, account, name), write)
            return web.Response(status=204)

        return await self._decided(request, tenant, account, here)

    def _reservation(self, request: web.Request) -> tuple[str, str, str]:
        tenant, account = self._account(request, "ingest")
        _named("reservation", request.match_info["id"], ID)
        return tenant, account, request.match_info["id"]

    async def _decided(
        self, request: web.Request, tenant: str, account: str, here: Callable[[], Awaitable[web.Response]]
    ) -> web.StreamResponse:  # fmt: skip
        """The answer of who owns the account, which is one gateway at a time: this one, or the one that is asked for it.

        While an owner is replaced the request waits. Every request may be made again, so it is.
        """
        self._check_ready()
        body = await self._body(request)
        until = clock.monotonic() + self._settings.gateway_timeout / 1e6
        while True:
            number = self._desk.world.partition(tenant, account)
            if self._keeper.owns(number):
                try:
                    return await here()
                except Lost:
                    log.info("gateway: partition %d went while it was decided on, asking its owner", number)
            elif FORWARDED in request.headers:
                raise unavailable("the account is another gateway's", "not-owner")
            elif (answer := await self._peers.ask(number, request, body)) is not None:
                return answer
            if clock.monotonic() > until:
                raise unavailable(
                    "no gateway has the account just now: ask again, with the same id", "not-owner"
                )
            await asyncio.sleep(AGAIN_S)

    async def _written(self, key: HoldKey, write: Write | None) -> None:
        """Answer only what is kept: whoever comes after this process must know of it. Raises `Lost`."""
        waited = self._keeper.written(key) if write is None else self._keeper.write(write)
        try:
            await asyncio.wait_for(waited, self._settings.gateway_timeout / 1e6)
        except TimeoutError:
            words = "the broker did not say in time that it is kept: ask again, with the same id"
            raise unavailable(words) from None

    async def events(self, request: web.Request) -> web.Response:
        """Each event by itself: what can be used is published, whatever its neighbours are."""
        checked = await self._checked(request)
        await self._publish(checked)
        return _json({"results": [_result(each) for each in checked]})

    async def events_alone(self, request: web.Request) -> web.Response:
        """As OpenMeter's ingest: all of them or none, and nothing to read in the answer."""
        # Its events may be without data: those of a counter often are.
        checked = await self._checked(request, {"data": b"{}"})
        wrong = [_result(each) for each in checked if each.problem is not None]
        if wrong:
            words = f"{len(wrong)} of {len(checked)} events cannot be used, so none was taken: see results"
            raise Problem(400, "bad-events", words, {"results": wrong})
        await self._publish(checked)
        return web.Response(status=204)

    async def _checked(
        self, request: web.Request, unless_set: Mapping[str, bytes] | None = None
    ) -> list[Checked]:
        key = self._key(request, "ingest")
        body = await self._body(request)
        if is_binary(request.headers):
            texts = [parsed(lambda data: structured(request.headers, data), body)]
        else:
            texts = parsed(split, body)
        return [check(text, key.tenant, self._settings.event_bytes_max, unless_set) for text in texts]

    async def _body(self, request: web.Request) -> bytes:
        return await body_of(request, self._settings.gateway_timeout / 1e6)

    async def _publish(self, checked: list[Checked]) -> None:
        sound = [(each.key, each.value) for each in checked if each.problem is None]
        metrics.GATEWAY_EVENTS.labels("accepted").inc(len(sound))
        metrics.GATEWAY_EVENTS.labels("rejected").inc(len(checked) - len(sound))
        if not sound:
            return
        try:
            await self._publisher.publish(sound)
        except Away as error:
            raise unavailable(f"the broker does not take events now ({error}): send the same again") from None

    async def openapi(self, request: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(self, request: web.Request) -> web.Response:
        waiting = self._waiting()
        return web.Response(text="ok\n") if waiting is None else web.Response(status=503, text=f"{waiting}\n")

    async def metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _check_ready(self) -> None:
        waiting = self._waiting()
        if waiting is not None:
            raise unavailable(f"the gateway has just started: {waiting}", "starting")

    def _account(self, request: web.Request, scope: str) -> tuple[str, str]:
        """Tenant and account of the path, where the key is good for them."""
        tenant, account = request.match_info["tenant"], request.match_info["account"]
        key = self._key(request, scope)
        if key.tenant != tenant:
            # The same words whether there is such a tenant or not.
            raise Problem(
                403, "wrong-tenant", "the key is of another tenant: use one of the tenant in the path"
            )
        _named("account", account, ID)
        return tenant, account

    def _key(self, request: web.Request, scope: str) -> ApiKey:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        text = text.strip()
        found = self._keys.find(text) if kind.lower() == "bearer" else None
        if found is None:
            words = "send a header Authorization: Bearer KEY; azotte gateway key TENANT makes a key"
            raise Problem(401, "unknown-key", words, headers={"WWW-Authenticate": "Bearer"})
        if not found.may(scope):
            raise Problem(
                403, "wrong-scope", f"the key has not the scope {scope}: use one that has it, or admin"
            )
        wait_s = self._rates.wait_s(text, clock.monotonic())
        if wait_s:
            words = f"the key made more than gateway_requests_per_s, {self._settings.gateway_requests_per_s}, requests"
            raise Problem(429, "too-many-requests", words, headers={"Retry-After": str(int(wait_s) + 1)})
        return found


def _named(name: str, value: str, pattern: Any) -> None:
    if not pattern.fullmatch(value):
        raise Problem(
            400, "bad-request", f"{name} {value[:60]!r} is no {name}: see the contract's ids and keys"
        )


def _result(checked: Checked) -> dict[str, Any]:
    if checked.problem is None:
        return {"id": checked.id, "status": "accepted"}
    code, detail = checked.problem
    return {"id": checked.id, "status": "rejected", "error": code, "error_detail": detail}


def _json(value: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


@web.middleware
async def _answering(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as a problem, every answer counted. A mistake of ours is logged, and told of without its words."""
    began = clock.monotonic()
    try:
        answer = await handler(request)
    except Problem as error:
        answer = error.response()
    except web.HTTPException as error:
        answer = of_http(error).response()
    except Exception:
        log.exception("gateway: %s %s failed", request.method, request.path)
        answer = Problem(500, "internal", "a mistake of the gateway's own: see its log").response()
    resource = request.match_info.route.resource
    route = "none" if resource is None else resource.canonical
    metrics.GATEWAY_REQUESTS.labels(request.method, route, str(answer.status)).inc()
    metrics.GATEWAY_SECONDS.labels(route).observe(clock.monotonic() - began)
    return answer
