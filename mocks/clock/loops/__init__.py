"""Event loops on a clock that skips: asyncio's, uvloop's, and their order of events."""
