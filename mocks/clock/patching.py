"""Replaces an attribute for the length of a scope."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def patched(owner: object, name: str, replacement: object) -> Iterator[None]:
    """Give ``owner`` another attribute ``name`` inside the scope, and the old one after it.

    One that the owner has only inherited (a module: from the builtins) is inherited again.
    """
    inherited = name not in vars(owner)
    original = None if inherited else vars(owner)[name]  # not what it gives: a static method
    try:
        setattr(owner, name, replacement)
        yield
    finally:
        if not inherited:
            setattr(owner, name, original)
        elif name in vars(owner):
            delattr(owner, name)
