"""What became of trials, how fast, why not, and what may be expected of those that run?"""
