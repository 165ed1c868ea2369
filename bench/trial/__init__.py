"""One trial: a cell, run once, in this process."""
