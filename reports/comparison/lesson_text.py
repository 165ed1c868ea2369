"""What was seen of a lesson, in a sentence: one for each lesson, by its name."""

from collections.abc import Mapping
from types import MappingProxyType

from ...bench.results.lesson import Seen

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "coroutines": (
            "called, it took {called_s:g} s and never waited; awaited, it took {awaited_s:g} s"
        ),
        "giving-way": "with awaits: {with_awaits}; without: {without}",
        "two-tasks": ("one after the other {in_turn_s:g} s, concurrently {side_by_side_s:g} s"),
        "blocking-call": (
            "one blocking call made waits of 0.2 s take {first_s:g} s and {second_s:g} s"
        ),
        "async-with": "the body ended after {body_s:g} s, the block after {block_s:g} s",
        "failure": (
            "after the error at 0.3 s, gather's other task ran until {gathered_s:g} s; the "
            "group's was cancelled at {grouped_s:g} s"
        ),
        "executors": (
            "{calls} blocking calls of 1 s took {with_two_s:g} s with 2 threads and "
            "{with_six_s:g} s with {calls}; the loop's own wait of 0.5 s took 0.5 s in both"
        ),
        "uvloop": (
            "the waits are equal to the nanosecond; one task switch took {asyncio_us:.1f} µs of "
            "CPU with asyncio and {uvloop_us:.1f} µs with uvloop"
        ),
        "eager-tasks": (
            "after create_task the task was {scheduled}; with eager tasks it was {eager}"
        ),
        "semaphores": (
            "without a limit {refused} of {calls} calls were refused; with a semaphore of "
            "{places}, {refused_with_semaphore} were, in {with_semaphore_s:g} s"
        ),
    }
)


def observation(lesson_name: str, seen: Seen) -> str:
    """Say what was seen of a lesson, whether its claim holds or not."""
    values = {
        name: " ".join(value) if isinstance(value, tuple) else value
        for name, value in seen.values.items()
    }
    return _SENTENCES[lesson_name].format_map(values)
