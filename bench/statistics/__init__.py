"""Statistics: pure functions from samples and trials to figures, intervals and rankings."""
