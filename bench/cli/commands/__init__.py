"""What each command takes: light modules, read for ``--help`` and errors. What it does is beside.

A command's function imports what does its work when it is called; a module here imports nothing
that takes time.
"""
