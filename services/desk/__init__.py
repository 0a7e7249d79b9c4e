"""What staff do to an account: each command previewed, allowed, durable and recorded in the ledger."""
