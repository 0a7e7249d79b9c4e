"""What the speed and memory bars run. Results, with their commands, stand in RESULTS.md."""
