"""A Stripe-shaped account on this machine: a program of its own that speaks Stripe's HTTP API."""
