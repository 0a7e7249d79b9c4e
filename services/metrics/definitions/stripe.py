"""What do the words on the page of Stripe's numbers mean? By Stripe's support pages, see revenue/bridge."""

from __future__ import annotations

from services.metrics.definitions.definition import Definition

STRIPE = (
    Definition(
        "stripe_subscribers", "Stripe’s numbers", "Active subscribers",
        "Customers with a subscription that comes to more than zero a month, by Stripe’s rules; of all "
        "currencies together, each once.",
        more="It is what we call active customers, and those with a discount that Stripe does not deduct or "
        "whose collection is paused. Where Stripe is set so, without those who are set to cancel.",
    ),
    Definition(
        "stripe_timing", "Stripe’s numbers", "Timing",
        "What moved here since the end of the day that Stripe’s chart shows, but for pauses of collection.",
        more="Our numbers are of this moment; Stripe’s charts end with a day that is over. To Stripe neither "
        "a pause of collection nor its end is a movement.",
    ),
    Definition(
        "stripe_discounts", "Stripe’s numbers", "Discounts",
        "Discounts that one of the two deducts and the other does not.",
        more="We deduct discounts that last forever. Stripe’s page can be set to deduct others, or none.",
    ),
    Definition(
        "stripe_collection_paused", "Stripe’s numbers", "Paused collection",
        "Stripe counts subscriptions whose collection is paused; we do not.",
        more="Such a subscription is still active, but nothing is collected for it. Here it comes to nothing "
        "as long as that lasts: its pause is churn, its end a reactivation.",
    ),
    Definition(
        "stripe_at_once", "Stripe’s numbers", "Set to cancel",
        "Stripe is set to count them as gone when they cancel; here they count until they end.",
        more="Stripe’s page can also be set to count until the end: then this makes no difference.",
    ),
    Definition(
        "stripe_currencies", "Stripe’s numbers", "Other currencies",
        "Stripe adds all currencies, at rates of its own; here by the rates that you entered.",
        more="What has no rate is left out and named.",
    ),
)  # fmt: skip
