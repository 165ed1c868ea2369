"""Runnable lessons about asyncio: a claim each, and a few lines of code that show it.

To add one, write a module with a ``LESSON`` and name it here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ..results.lesson import Lesson
from . import (
    async_with,
    blocking_call,
    coroutines,
    eager_tasks,
    executors,
    failure,
    giving_way,
    semaphores,
    two_tasks,
    uvloops,
)

LESSONS: Mapping[str, Lesson] = MappingProxyType(
    {
        module.LESSON.name: module.LESSON
        for module in (
            coroutines,
            giving_way,
            two_tasks,
            blocking_call,
            async_with,
            failure,
            executors,
            uvloops,
            eager_tasks,
            semaphores,
        )
    }
)
"""Every lesson by its name, in the order in which to read them."""
