"""The token bucket: a full minute's worth at once, then evenly."""

from infra.gateway.limits import RateLimiter


def test_bucket_empties_and_refills() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: now)
    assert [limiter.take("a", 2) for _ in range(2)] == [0.0, 0.0]
    assert limiter.take("a", 2) == 30.0
    assert limiter.take("b", 2) == 0.0
    now = 29.9
    assert 0 < limiter.take("a", 2) < 0.2
    now = 30.1
    assert limiter.take("a", 2) == 0.0
    assert limiter.take("a", 2) > 0
    now = 10_000.0
    assert [limiter.take("a", 2) == 0.0 for _ in range(3)] == [True, True, False]


def test_lower_limit_takes_effect_at_once() -> None:
    limiter = RateLimiter(lambda: 0.0)
    limiter.take("a", 100)
    assert [limiter.take("a", 1) == 0.0 for _ in range(2)] == [True, False]


def test_refused_requests_do_not_push_the_time_away() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: now)
    limiter.take("a", 1)
    for second in range(1, 60):
        now = float(second)
        assert limiter.take("a", 1) > 0
    now = 60.1
    assert limiter.take("a", 1) == 0.0
