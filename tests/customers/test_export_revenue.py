"""Files of the customers behind numbers of revenue: for who may export, and losses stay numbers."""

from __future__ import annotations

import pytest

from pages.components import revenue_mrr
from services import config
from services.customers import export, export_revenue
from services.errors import NotAllowed
from services.metrics.revenue.revenue_rows import Moved, Payer
from services.staff.roles import Person, Role
from tests.metrics.build import at


def test_who_may_not_export_gets_no_file() -> None:
    viewer = Person(9, "Vi", "vi@trialdesk.test", Role.VIEWER)
    for write in (export_revenue.moved_csv, export_revenue.payers_csv, export_revenue.cancelled_csv):
        with pytest.raises(NotAllowed):
            write(viewer, [])


def test_a_loss_in_a_file_is_a_number_and_no_formula() -> None:
    assert export.line([revenue_mrr.units(-4_900_000_000, "usd")]) == "-49.00\r\n"
    assert export.line([export.exact(-1, "jpy")]) == "-0.000001\r\n"
    assert export.line(["-49"]) == "'-49\r\n"


def test_days_in_a_file_are_those_of_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPACE_TIMEZONE", "Europe/Berlin")
    config.settings.cache_clear()
    admin, june = Person(1, "Ada", "ada@trialdesk.test", Role.ADMIN), at("2026-05-31 22:00")
    who = ("cus_ada", "Ada", "ada@example.com", "usd", "Pro", "DE")
    moved = Moved(*who, june, "new", "", 0, 1_000_000, 1_000_000, exact=True)
    assert ",2026-06-01," in list(export_revenue.moved_csv(admin, [moved]))[1]
    payers = [Payer(*who, 1_000_000, 1_000_000, 0, since) for since in (june, None)]
    _, paying, not_yet = export_revenue.payers_csv(admin, payers)
    assert paying.endswith(",2026-06-01\r\n") and not_yet.endswith(",\r\n")
    config.settings.cache_clear()
