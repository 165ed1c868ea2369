"""What an efficiency is of."""

from enum import StrEnum


class Reference(StrEnum):
    """What the ideal is made of, which an efficiency compares with."""

    SCRIPT = "script"
    """The waits of the script alone."""

    SCRIPT_AND_OWN_TOOLS = "script and own tools"
    """And what the target's own tools need at least, as it was observed."""
