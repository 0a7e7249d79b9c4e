"""Files of the customers behind numbers of revenue: for who may export, and losses stay numbers."""

from __future__ import annotations

import pytest

from pages.components import revenue_mrr
from services.customers import export, export_revenue
from services.errors import NotAllowed
from services.staff.roles import Person, Role


def test_who_may_not_export_gets_no_file() -> None:
    viewer = Person(9, "Vi", "vi@trialdesk.test", Role.VIEWER)
    for write in (export_revenue.moved_csv, export_revenue.payers_csv, export_revenue.cancelled_csv):
        with pytest.raises(NotAllowed):
            write(viewer, [])


def test_a_loss_in_a_file_is_a_number_and_no_formula() -> None:
    assert export.line([revenue_mrr.units(-4_900_000_000, "usd")]) == "-49.00\r\n"
    assert export.line([export.exact(-1, "jpy")]) == "-0.000001\r\n"
    assert export.line(["-49"]) == "'-49\r\n"
