"""Which subscriptions are behind a cause? In the address as `show=cause:collection_paused`."""

from __future__ import annotations

from pages.components import address, behind, formats, navigation, tables, worklist
from pages.components.stripe_view import StripeView
from pages.components.stripe_words import CAUSES
from pages.components.tables import Column
from services import database
from services.customers import export_revenue
from services.metrics.revenue import bridge
from services.staff.roles import Person

_LISTED = ("discounts", "collection_paused", "at_once")
_COLUMNS = (
    Column("title", "Customer", width=180, pinned=True),
    Column("ours", "In our MRR", "micros"),
    Column("theirs", "In Stripe’s", "micros"),
    Column("more", "Difference", "micros", help="What it adds to Stripe’s number, after the causes before."),
    Column("email", "Email", width=220),
)


def asked(view: StripeView) -> str | None:
    """The cause whose rows the address asks for; None for nothing, or what cannot be read."""
    kind, _, key = address.read(behind.SHOW).partition(":")
    known = kind == "cause" and key in _LISTED and (key != "at_once" or view.rules.at_once)
    behind.judge(known)
    return key if known else None


def show(view: StripeView, key: str) -> None:
    """Opens the rows, with a way to each customer and a file of all of them."""
    behind.dialog(f"{CAUSES[key][0]}: subscriptions", lambda person: _rows(person, view, key))


def _rows(person: Person, view: StripeView, key: str) -> None:
    told = behind.head(
        person,
        lambda session, asking: export_revenue.bridge_csv(
            asking, bridge.named(session, bridge.behind(session, view.rules, key, view.currency))
        ),
        "stripe-numbers",
    )
    with database.session() as session:
        found = bridge.behind(session, view.rules, key, view.currency)
        page = tables.page_of(len(found), key=behind.PAGE_KEY, size=25)
        some = bridge.named(session, found[page.offset : page.offset + page.limit])
    sums = formats.in_all("Difference", {view.currency: sum(one.more for one in found)})
    with told:
        tables.caption(len(found), page, "subscription", sums=sums)
    picked = tables.show(
        [_cells(row) for row in some], _COLUMNS, key="behind", alt="Subscriptions behind the difference",
        empty="None.", open_label="Customer",
    )  # fmt: skip
    if picked.opened is not None:
        navigation.go("customer", id=some[picked.opened].customer)


def _cells(row: bridge.Row) -> dict[str, object]:
    return {
        "title": worklist.called(row.name, row.email, row.customer),
        "email": row.email,
        "currency": row.currency,
        "ours": row.ours,
        "theirs": row.theirs,
        "more": row.more,
    }
