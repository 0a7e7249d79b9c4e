"""The token buckets, on a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.stripe_api.pacing import LIVE, Limits, Pacer
from services.stripe_api.transport import endpoint_of


class Time:
    """A clock; sleeping moves it."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def pacer(limits: Limits) -> tuple[Pacer, Time]:
    time = Time()
    return Pacer(limits, now=time.now, sleep=time.sleep), time


def test_half_a_second_is_saved_and_then_the_rate_holds() -> None:
    paced, time = pacer(Limits(account=10, endpoint=100))
    for _ in range(5):
        paced.wait("/v1/invoices")
    assert time.at == 1000
    for sent in range(1, 21):
        assert paced.wait("/v1/invoices") == time.at
        assert time.at == pytest.approx(1000 + sent / 10)


def test_the_delay_is_what_one_more_would_wait_and_takes_nothing() -> None:
    paced, time = pacer(Limits(account=10, endpoint=4))
    assert paced.delay("/v1/invoices") == paced.delay("/v1/charges") == 0
    paced.wait("/v1/invoices")
    paced.wait("/v1/invoices")
    assert [paced.delay("/v1/invoices") for _ in range(3)] == [0.25] * 3
    assert paced.delay("/v1/charges") == 0
    before = time.at
    paced.wait("/v1/invoices")
    assert time.at == before + 0.25
    for other in "abcd":
        paced.wait(f"/v1/{other}")
    assert paced.delay("/v1/refunds") == pytest.approx(0.05), "all that the account saved is used"


def test_an_endpoint_is_slower_than_the_account() -> None:
    paced, time = pacer(LIVE)
    for _ in range(50):
        paced.wait("/v1/invoices")
    slow = time.at
    for endpoint in ("/v1/charges", "/v1/refunds"):
        paced.wait(endpoint)
    assert slow == pytest.approx(1001.5)
    assert time.at == slow


@given(
    st.lists(st.tuples(st.sampled_from(["/a", "/b", "/c"]), st.floats(0, 0.2)), max_size=250),
    st.integers(1, 5),
)
def test_never_more_than_the_limits_in_any_second_however_many_ask(
    asked: list[tuple[str, float]], askers: int
) -> None:
    limits = Limits(account=20, endpoint=8)
    sent: list[tuple[float, str]] = []
    for _ in range(askers):
        paced, time = pacer(limits)
        paced.share_among(askers)
        for endpoint, pause in asked:
            time.at += pause
            paced.wait(endpoint)
            sent.append((time.at, endpoint))
    for begin, _ in sent:
        within = [endpoint for at, endpoint in sent if begin <= at < begin + 1]
        assert len(within) <= 1.5 * limits.account + askers  # half a second's worth may be saved, no more
        assert all(within.count(endpoint) <= 1.5 * limits.endpoint + askers for endpoint in set(within))


def test_a_429_slows_the_bucket_that_it_names_and_time_heals_it() -> None:
    paced, time = pacer(LIVE)
    paced.slow_down("/v1/invoices", "endpoint-rate", time.at)
    assert (paced.rate("/v1/invoices"), paced.rate("/v1/charges"), paced.rate()) == (22.5, 25, 100)
    paced.slow_down("/v1/invoices", "global-rate", time.at)
    assert paced.rate() == 90
    assert paced.delay("/v1/charges") == 1 / 90, "nothing that was saved is left"
    time.at += 4
    paced.wait("/v1/invoices")
    assert (paced.rate("/v1/invoices"), paced.rate()) == (25, 100)


def test_all_that_are_refused_together_slow_it_once() -> None:
    paced, time = pacer(LIVE)
    sent = [paced.wait("/v1/invoices") for _ in range(8)]
    time.at += 0.1
    for one in sent:
        paced.slow_down("/v1/invoices", "endpoint-rate", one)
    assert paced.rate("/v1/invoices") == 22.5
    paced.slow_down("/v1/invoices", "endpoint-rate", paced.wait("/v1/invoices"))
    assert paced.rate("/v1/invoices") == pytest.approx(20.25, rel=0.01), "this was sent at the lower rate"


def test_a_lock_timeout_slows_nothing() -> None:
    paced, time = pacer(LIVE)
    paced.slow_down("/v1/invoices", None, time.at)
    assert (paced.rate("/v1/invoices"), paced.rate()) == (25, 100)


def test_many_429s_leave_a_trickle() -> None:
    paced, time = pacer(LIVE)
    for _ in range(50):
        paced.slow_down("/v1/invoices", "endpoint-rate", time.at)
    assert paced.rate("/v1/invoices") == 1
    paced.wait("/v1/invoices")
    assert time.at - 1000 <= 1


def test_ids_do_not_make_endpoints() -> None:
    assert endpoint_of("/v1/invoices/in_1Abc/pay") == "/v1/invoices/*/pay"
    assert endpoint_of("/v1/customers") == "/v1/customers"


def test_what_may_wait_leaves_most_of_the_account_to_others() -> None:
    paced, time = pacer(Limits(account=10, endpoint=100))
    for _ in range(21):
        paced.wait("/v1/invoices", gentle=True)
    assert 1009.9 <= time.at <= 1010.1, "two a second, of ten"
    before = time.at
    for _ in range(4):
        paced.wait("/v1/customers")
    assert time.at == before, "nobody waits behind it"


def test_a_429_never_makes_faster_however_small_the_part() -> None:
    paced, time = pacer(Limits(account=4, endpoint=2))
    paced.share_among(4)
    for _ in range(5):
        before = paced.rate("/v1/invoices")
        paced.slow_down("/v1/invoices", "endpoint-rate", time.at)
        assert 0 < paced.rate("/v1/invoices") <= before


def test_what_was_learned_from_a_429_stays_when_the_parts_change() -> None:
    paced, time = pacer(LIVE)
    paced.slow_down("/v1/invoices", "endpoint-rate", time.at)
    paced.share_among(2)
    assert (paced.rate("/v1/invoices"), paced.rate("/v1/charges"), paced.rate()) == (11.25, 12.5, 50)
    paced.share_among(1)
    assert (paced.rate("/v1/invoices"), paced.rate("/v1/charges"), paced.rate()) == (22.5, 25, 100)
    time.at += 60
    paced.wait("/v1/invoices")
    assert paced.rate("/v1/invoices") == 25
