"""The values of a run, and its file: all that reports know of the harness, with ``statistics``."""
