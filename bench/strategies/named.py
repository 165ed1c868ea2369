"""A strategy of anybody's module, by its name: ``module:ATTRIBUTE``."""

import importlib
from dataclasses import replace

from ...mocks.errors import UsageError, name_of, text_of
from ...mocks.import_path import append_current_directory
from ...mocks.standard_output import printing_to_stderr
from .protocol import Strategy


def is_of_a_module(name: str) -> bool:
    """Say whether a name is one of a module's, and none of a registry's."""
    return ":" in name


def strategy_of_a_module(name: str) -> Strategy:
    """Return the strategy that a module has under a name; it is called by that name.

    Args:
        name: ``module:ATTRIBUTE``. A module may lie in the current directory.

    Raises:
        UsageError: The module cannot be imported, or has no strategy of that name.
    """
    module_name, _, attribute = name.partition(":")
    append_current_directory()
    try:
        with printing_to_stderr():
            found = getattr(importlib.import_module(module_name), attribute)
    except (Exception, SystemExit) as error:  # a module of others may raise anything
        what = f"{name_of(error)}: {text_of(error)}"
        raise UsageError(f"strategy {name!r} cannot be loaded: {what}") from error
    if not isinstance(found, Strategy):
        raise UsageError(f"strategy {name!r}: expected a Strategy, found {type(found).__name__}")
    # Its process finds it again by this name, and so does a baseline.
    return replace(found, name=name)
