"""`make bench`: every contender on the same events and the same broker, one after the other, then what size costs; tables,
a page and a picture."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from streams.stack import broker, clickhouse
from streams.stack.config import StackConfig
from tests import servers
from tests.bench import gateway, plot, report
from tests.bench.curves import CURVES, measure
from tests.bench.load import Result, fill, make_topic
from tests.bench.ours import Ours

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "benchmarks.md"
FEW, MANY = 1_000, 100_000
EVENTS = {"bare": 1_000_000, "faust": 20_000, "quix": 100_000, "few": 1_000_000, "many": 500_000}
STEADY_RATE, STEADY_S = 10_000, 30
CONTENDER_S = 600


def main() -> None:
    """Run it all; exits with 1 where a contender fails."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the events, for a quick look")
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    parser.add_argument(
        "--only-waits", action="store_true", help="latencies at a steady rate alone, without the page"
    )
    parser.add_argument("--only-curves", action="store_true", help="what size costs, without a broker")
    parser.add_argument(
        "--full", action="store_true", help="the curves to their full sizes: 1 M accounts, half an hour"
    )
    asked = parser.parse_args()
    if asked.only_waits:
        with _stack() as (config, folder):
            report.show([], _waits(config, folder, _ours(config, folder / "few", FEW)))
        return
    if not asked.only_curves:
        results, waits = _contenders(asked.scale)
    curves = _curves(asked.full)
    report.show_curves(curves)
    if asked.no_page:
        return
    PAGE.with_name(report.PICTURE).write_text(plot.svg(curves), "utf-8")
    if asked.only_curves:
        PAGE.write_text(report.with_curves(PAGE.read_text("utf-8"), curves), "utf-8")
    else:
        PAGE.write_text(report.page(results, waits, curves), "utf-8")


def _contenders(scale: float) -> tuple[list[Result], report.Waits]:
    counts = {name: max(1_000, int(count * scale)) for name, count in EVENTS.items()}
    with _stack() as (config, folder):
        results, waits = _run(config, folder, counts)
    report.show(results, waits)
    return results, waits


def _curves(full: bool) -> report.Curves:
    found = {}
    for curve in CURVES:
        with tempfile.TemporaryDirectory(prefix="curve-") as folder:
            found[curve.name] = measure(curve, pathlib.Path(folder), full)
        costs = ", ".join(f"{point.size:,}: {point.cost_us:.0f} µs" for point in found[curve.name])
        sys.stderr.write(f"{curve.name}: {costs}\n")
    return found


def _run(
    config: StackConfig, folder: pathlib.Path, counts: dict[str, int]
) -> tuple[list[Result], report.Waits]:
    results = [
        _python(config.bootstrap_servers, "tests.bench.bare", counts["bare"]),
        _faust(config.bootstrap_servers, counts["faust"], folder),
        _python(config.bootstrap_servers, "tests.bench.quix", counts["quix"]),
    ]
    few = _ours(config, folder / "few", FEW)
    results.append(_said(few.rate(counts["few"])))
    waits = _waits(config, folder, few)
    many = _ours(config, folder / "many", MANY)
    results.append(_said(many.rate(counts["many"])))
    results.append(_said(many.sink()))
    many.close()
    return results, waits


def _waits(config: StackConfig, folder: pathlib.Path, few: Ours) -> report.Waits:
    """At a steady rate, the workers first, then the gateway by itself."""
    latency, crossed = few.steady(STEADY_RATE, STEADY_S)
    few.close()
    return report.Waits(latency, crossed, gateway.measure(config.bootstrap_servers, folder / "gateway"))


def _ours(config: StackConfig, folder: pathlib.Path, accounts: int) -> Ours:
    url = f"{config.clickhouse_address}/bench_{accounts}"
    made = Ours(config.bootstrap_servers, url, config.kafka_data, folder, accounts)
    made.open()
    return made


@contextlib.contextmanager
def _stack() -> Iterator[tuple[StackConfig, pathlib.Path]]:
    """A stack of its own, and the folder that it is in."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = pathlib.Path(name)
        config = servers.local_config(folder / "home")
        began = time.monotonic()
        broker.start(config, lambda words: None)
        try:
            clickhouse.start(config, lambda words: None)
            sys.stderr.write(f"stack: started in {time.monotonic() - began:.1f} s\n")
            yield config, folder
        finally:
            clickhouse.daemon(config).stop()
            broker.daemon(config).stop()


def _python(address: str, module: str, count: int) -> Result:
    topic = module.rpartition(".")[2]
    _topics(address, topic, count)
    return _result([sys.executable, "-m", module, address, topic, str(count)], dict(os.environ))


def _faust(address: str, count: int, folder: pathlib.Path) -> Result:
    _topics(address, "faust", count)
    environment = {"BENCH_SERVERS": address, "BENCH_TOPIC": "faust", "BENCH_COUNT": str(count)}
    program = str(pathlib.Path(sys.executable).with_name("faust"))
    command = [
        program,
        "--datadir",
        str(folder / "faust"),
        "-A",
        "tests.bench.faust_agent",
        "worker",
        "--without-web",
    ]
    return _result(command, dict(os.environ) | environment)


def _topics(address: str, topic: str, count: int) -> None:
    make_topic(address, topic)
    make_topic(address, f"{topic}-charges")
    fill(address, topic, count, FEW)


def _result(command: list[str], environment: dict[str, str]) -> Result:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=CONTENDER_S
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        sys.stderr.write(f"{' '.join(command)} failed:\n{done.stderr[-2_000:]}\n")
        raise SystemExit(1)
    return _said(Result(**json.loads(lines[-1])))


def _said(result: Result) -> Result:
    sys.stderr.write(f"{result.name}: {result.events / result.seconds:,.0f} a second\n")
    return result


if __name__ == "__main__":
    main()
