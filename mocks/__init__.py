"""The mocked world: time, the scripted model, and the tools."""
