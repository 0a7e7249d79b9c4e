"""What the desk says to customers: templates, messages by email, one-on-one calls."""
