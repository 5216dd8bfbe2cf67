"""Intervals, corrections, power and the verdict: what may be said of scores on a limited number of test rows."""
