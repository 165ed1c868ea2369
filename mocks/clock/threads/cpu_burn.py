"""Real computing of a given length, for CPU-bound tools."""

import time


def burn_thread_cpu_ns(duration_ns: int) -> None:
    """Compute until this thread has spent ``duration_ns`` of CPU time.

    The work is plain bytecode that holds the GIL between switches, as a CPU-bound tool
    written in Python does. Time in which another thread had the core does not count.
    """
    end_ns = time.thread_time_ns() + duration_ns
    total = 0
    while time.thread_time_ns() < end_ns:
        for number in range(100):
            total += number * number
