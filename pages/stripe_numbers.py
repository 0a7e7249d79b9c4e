"""Why not Stripe's number? From ours to what Stripe's own page shows, cause by cause."""

from __future__ import annotations

import streamlit as st

from pages.components import counted, guard, stripe_behind, stripe_parts, stripe_view, tiles


def main() -> None:
    """One run of the page."""
    person = guard.enter("stripe-numbers")
    st.title("Stripe’s numbers")
    st.markdown(
        "Why is our number not Stripe’s? Stripe’s page counts by rules of its own, and some of them can be "
        "set there. Say how yours is set, and each number is led over to Stripe’s, cause by cause. What is "
        "left is not explained, and says so."
    )
    if not counted.ready():
        return
    counted.hint()
    view = stripe_view.draw(person)
    if view is None:
        st.info("Nobody has subscribed yet. Numbers appear here with the first subscription.")
        return
    found = stripe_behind.asked(view)
    stripe_parts.mrr(view)
    stripe_parts.customers(view)
    stripe_parts.conversion(view)
    stripe_parts.churn(view)
    tiles.definitions_link()
    if found is not None:
        stripe_behind.show(view, found)


main()
