"""Paths of other families beside straight lines: planned from the run's pairs, walked and read as lines are."""
