"""How a session reaches the mocked world: in-process, or over real sockets."""
