"""What is noted while the mocked world runs: waits, CPU per session, traffic."""
