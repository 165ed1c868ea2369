"""Time, in one clock and three modes."""
