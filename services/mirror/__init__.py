"""Stripe's account as tables: the first pull, the events that keep it fresh, the newer-only writer."""
