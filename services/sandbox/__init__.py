"""A Stripe-shaped account on this machine: a program of its own that speaks Stripe's HTTP API.

__main__      start it, or say in one sentence why that is impossible
server        who listens on the port; service: what a running sandbox holds together
api           how a request is answered: keys, limits, faults, idempotency, routing -> routes, params, schema,
              listing, expand, shapes
control       `/_sandbox/...`: the clock, faults, cards, disputes, keys, settings, requests, books
hosted, pdf   what a customer sees behind a link
webhooks      how events reach those who want to hear of them
billing       the engine: what the account does when it is told to and when time passes
store         where its objects are kept; clock: what time it is
objects, ids  what Stripe's objects look like
history       what has happened in the last 18 months, and what people are going to do
"""
