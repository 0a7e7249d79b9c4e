"""Who works here, and who may see and do what."""
