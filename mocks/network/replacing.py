"""Gives a class other methods for a scope."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Methods = Mapping[str, Callable[..., Any]]


@contextmanager
def replaced(owner: type, methods: Methods) -> Iterator[None]:
    """Give a class other methods in this scope, and its own ones after it.

    A method that it has only inherited is inherited again.
    """
    own = {name: vars(owner)[name] for name in methods if name in vars(owner)}
    for name, method in methods.items():
        setattr(owner, name, method)
    try:
        yield
    finally:
        for name in methods:
            if name in own:
                setattr(owner, name, own[name])
            else:
                delattr(owner, name)
