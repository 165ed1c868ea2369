"""Replies as they go over the wire, whole, streamed, or broken by a fault."""
