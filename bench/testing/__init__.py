"""The lab inside other people's tests: the fixture ``lab``."""
