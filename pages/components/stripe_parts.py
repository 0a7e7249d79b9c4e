"""The parts of the page: each number from ours to Stripe's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components import behind, charts, charts_bridge, formats, plotted
from pages.components.plotted import Sheet
from pages.components.stripe_view import StripeView
from pages.components.stripe_words import CAUSES, SAME, STEPS, UNEXPLAINED
from services import config, money
from services.errors import InvalidInput
from services.metrics.definitions import DEFINITIONS
from services.metrics.revenue import bridge
from services.metrics.revenue.bridge import Bridge, Cause
from services.metrics.revenue.bridge_rates import Step
from services.money import MICROS


def mrr(view: StripeView) -> None:
    """MRR in the currency that Stripe's page shows."""
    bridges = view.measures.bridges(view.rules).mrr
    found, unknown = bridge.in_one(bridges, view.currency, view.weights)
    _head(view, "MRR", found, "stripe_mrr")
    _waterfall(found, lambda micros: formats.micros(micros, view.currency), "stripe_mrr")
    if unknown:
        st.caption(
            formats.plain(
                f"Not in it: {', '.join(code.upper() for code in unknown)}, as no rate into "
                f"{view.currency.upper()} is entered. Enter rates on the Revenue page."
            )
        )
    _causes(found, lambda micros: formats.micros(micros, view.currency), with_rows=True)
    _left(found, f"MRR that Stripe shows, in {view.currency.upper()}", view.currency)


def customers(view: StripeView) -> None:
    """Active customers of all currencies."""
    found = view.measures.bridges(view.rules).customers
    _head(view, "Active subscribers", found, "stripe_subscribers")
    _waterfall(found, formats.count, "stripe_subscribers")
    _causes(found, formats.count, with_rows=False)
    _left(found, "Active subscribers that Stripe shows", "")


def conversion(view: StripeView) -> None:
    """Trial conversion of the last 30 days."""
    _walk(view, "Trial conversion", view.measures.conversion_steps(), "conversion", "trials")


def churn(view: StripeView) -> None:
    """Customer churn."""
    _walk(view, "Subscriber churn", view.measures.churn_steps(), "churn", "customers")


def _head(view: StripeView, title: str, found: Bridge, name: str) -> None:
    rows = [("ours", found.ours), *((one.key, one.amount) for one in found.causes), ("stripe", found.theirs)]
    help = DEFINITIONS["mrr" if name == "stripe_mrr" else name].short
    plotted.head(view.person, title, Sheet(("step", "amount"), rows), name, help=help, note=SAME)


def _waterfall(found: Bridge, written: Callable[[int], str], key: str) -> None:
    bars = [("Ours", found.ours, True)]
    bars += [(CAUSES[one.key][0], one.amount, False) for one in found.causes if one.amount]
    bars.append(("Stripe’s", found.theirs, True))
    alt = ", ".join(f"{name} {written(amount)}" for name, amount, _ in bars)
    charts.draw(charts_bridge.waterfall(bars, written), key=key, alt=f"From our number to Stripe's: {alt}")


def _causes(found: Bridge, written: Callable[[int], str], *, with_rows: bool) -> None:
    """Each cause in words, those too that make no difference now."""
    for one in found.causes:
        title, why = CAUSES[one.key]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(formats.plain(f"{title}: {_signed(one, written)}. {why}"), width="stretch")
            if with_rows and one.rows:
                st.button(
                    formats.plural(one.rows, "subscription"), key=f"rows:{one.key}", type="tertiary",
                    on_click=behind.open, args=(f"cause:{one.key}",), icon=":material/chevron_right:",
                    icon_position="right",
                )  # fmt: skip


def _signed(one: Cause, written: Callable[[int], str]) -> str:
    if not one.amount:
        return "no difference"
    return f"{'+' if one.amount > 0 else '-'}{written(abs(one.amount))}"


def _left(found: Bridge, label: str, currency: str) -> None:
    """What a number that is read on Stripe's page has that no cause explains."""
    typed = st.text_input(label, placeholder="to compare", width=280, key=f"read:{label}")
    if not typed.strip():
        return
    try:
        read = _read(typed, currency)
    except InvalidInput as problem:
        st.error(formats.plain(str(problem)))
        return
    rest = found.unexplained(read)
    # what Stripe's page rounds away is no difference
    if abs(rest) < (MICROS if currency else 1):
        st.success("Explained to the last unit.", icon=":material/check_circle:")
        return
    said = formats.micros(abs(rest), currency) if currency else formats.count(abs(rest))
    st.info(formats.plain(f"{said} {'more' if rest > 0 else 'less'} {UNEXPLAINED}"))


def _read(typed: str, currency: str) -> int:
    """What was typed, in micros of the currency, or as a number of customers. Raises InvalidInput."""
    if currency:
        return money.read(typed, currency, locale=config.settings().workspace_locale) * MICROS
    if not (typed.strip().isascii() and typed.strip().isdigit()):
        raise InvalidInput("Type a whole number, in digits alone.")
    return int(typed)


def _walk(view: StripeView, title: str, steps: Sequence[Step], name: str, of: str) -> None:
    sheet = Sheet(("step", "part", "whole"), [(one.key, one.part, one.whole) for one in steps])
    plotted.head(view.person, title, sheet, f"stripe_{name}")
    words = STEPS[name]
    st.table(
        [
            {
                "Step": formats.plain(words[one.key][0]),
                "Rate": formats.share(one.part, one.whole),
                f"Counted, of {of}": f"{formats.count(one.part)} of {formats.count(one.whole)}",
                "What it counts": formats.plain(words[one.key][1]),
            }
            for one in steps
        ],
        border="horizontal",
        hide_index=True,
    )
