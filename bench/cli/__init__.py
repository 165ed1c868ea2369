"""The command line: one file a command; with ``testing`` it alone imports reports."""
