"""Is the payment method that Stripe charges found in the order of its documentation?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models import Customer, Invoice, Subscription
from services import charging
from services.charging import Default

IDS = st.none() | st.sampled_from(("a", "b", "c"))


@given(st.tuples(IDS, IDS, IDS, IDS, IDS, IDS), st.booleans())
def test_the_first_default_is_the_one_that_is_charged(ids: tuple[str | None, ...], has_invoice: bool) -> None:
    invoice, subscription, customer = (
        kind(id="x", created=0, customer="cus_1", default_payment_method=method, default_source=source)
        for kind, method, source in zip((Invoice, Subscription, Customer), ids[::2], ids[1::2], strict=True)
    )
    kinds = ("payment_method", "source") * 3
    documented = [Default(kind, id) for kind, id in zip(kinds, ids, strict=True) if id]  # type: ignore[arg-type]
    if not has_invoice:
        documented = documented[sum(map(bool, ids[:2])) :]
    found = charging.first(invoice if has_invoice else None, subscription, customer)
    assert found == (documented[0] if documented else None)
