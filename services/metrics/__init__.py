"""What do the numbers mean, and what are they? Definitions as SQL over the tables and pure functions."""
