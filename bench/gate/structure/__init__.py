"""The structure tier: virtual time, calls and overlap, compared exactly."""
