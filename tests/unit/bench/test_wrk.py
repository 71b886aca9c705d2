"""What wrk prints, read."""

from __future__ import annotations

import pytest

from tests.bench.wrk import read

PRINTED = """Running 10s test @ http://127.0.0.1:6070
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.93ms  408.11us  12.40ms   81.02%
    Req/Sec     1.95k    31.20     2.01k    70.00%
  Latency Distribution
     50%  854.00us
     75%    1.05ms
     90%    1.32ms
     99%    2.41ms
  19412 requests in 10.00s, 7.11MB read
Requests/sec:   1940.55
Transfer/sec:    727.88KB
"""


def test_it_is_read_in_seconds() -> None:
    assert [round(each, 6) for each in read(PRINTED)] == [1940.55, 0.000854, 0.00241, 0.0124]


@pytest.mark.parametrize("wrong", ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 5\n"])
def test_failed_requests_are_no_measurement(wrong: str) -> None:
    with pytest.raises(ValueError, match="requests failed"):
        read(PRINTED + wrong)


def test_other_words_are_no_measurement() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        read("wrk 5 has been rewritten")
