"""A small, good agent: the lab's default target and a reference for writing one."""
