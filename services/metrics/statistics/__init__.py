"""How sure is a number? Pure functions."""
