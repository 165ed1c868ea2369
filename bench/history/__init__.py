"""The history of a project: runs kept (``store``), and how a cell's figure moved (``trend``)."""
