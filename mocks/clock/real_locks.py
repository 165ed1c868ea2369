"""Plain locks that stay real, whatever a clock replaces (``threads.bare_locks``).

The clock's own waits are for these. They are taken from the type before any scope can change it.
"""

import threading
from collections.abc import Callable
from typing import Any

_methods: Any = vars(type(threading.Lock()))

real_allocate_lock = threading.Lock
real_acquire: Callable[..., bool] = _methods["acquire"]
real_release: Callable[..., None] = _methods["release"]
real_is_locked: Callable[..., bool] = _methods["locked"]
