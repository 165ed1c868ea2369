"""Tries whether a process may have a network of its own here: ``python -m …``, status 0 if so."""

import sys

from ..errors import IsolationError
from .namespace import isolate_network

try:
    isolate_network()
except IsolationError as error:
    sys.exit(error.reason)
