"""Made-up vectors of texts: the same text has the same, and any two texts differ.

A vector has no meaning: texts that resemble each other are as far apart as any two, at right
angles nearly. Its numbers are what a hash (SHAKE-128) of the text gives, so they are the same on
every machine. A shorter vector is the beginning of a longer one, of unit length again, as those of
OpenAI's ``dimensions`` are.
"""

import math
import sys
from array import array
from hashlib import shake_128
from operator import mul

MOST_DIMENSIONS = 16_384
_BYTES = 2


def vector_of(text: str, dimensions: int) -> "array[float]":
    """Return the vector of a text, of unit length, in single precision.

    Args:
        text: Any text.
        dimensions: How many numbers the vector has, at least 1.
    """
    digest = shake_128(text.encode(errors="surrogatepass")).digest(dimensions * _BYTES)
    numbers = array("h", digest)
    if sys.byteorder == "big":
        numbers.byteswap()
    if not any(numbers):  # one number in 65,536 is nothing
        numbers[0] = 1
    length = math.sqrt(sum(map(mul, numbers, numbers)))
    return array("f", [number / length for number in numbers])
