"""What cannot be parsed, as one line: what was found, what was expected, what was meant."""

import difflib

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from ..runner.choices import not_one_of

_ALIKE = 0.7
"""How much alike an option is to the one that was probably meant, at least."""


def one_line(error: CycloptsError) -> str:
    """Return what is wrong with a command line, on one line that begins with the command."""
    command = " ".join(error.command_chain or ())
    text = _of_a_name(error) or _of_a_value(error) or " ".join(str(error).split())
    return f"{command}: {text}" if command else text


def _of_a_name(error: CycloptsError) -> str | None:
    """Return what is wrong with the name of a command or of an option."""
    match error:
        case UnknownCommandError(unused_tokens=[token, *_], app=app) if app is not None:
            # The error's own text would import every command.
            if token.startswith("-"):
                return _no_such_option(token, [name for name in app if name.startswith("-")])
            names = [name for name in app if not name.startswith("-")]
            return f"no such command {not_one_of(token, names)}"
        case UnknownOptionError():
            token = error.token.keyword or error.token.value or ""
            arguments = [each for each in error.argument_collection if each.parse]
            return _no_such_option(token, [name for each in arguments for name in each.names])
    return None


def _no_such_option(token: str, known: list[str]) -> str:
    option = token.partition("=")[0]
    # The dashes are left out: they make short names look more alike than they are.
    bare = {name.lstrip("-"): name for name in known}
    close = difflib.get_close_matches(option.lstrip("-"), bare, n=1, cutoff=_ALIKE)
    return f"no such option {option}" + (f": did you mean {bare[close[0]]}?" if close else "")


def _of_a_value(error: CycloptsError) -> str | None:
    """Return what is wrong with the value of an option, or with how many there are."""
    match error:
        case RepeatArgumentError(token=token):
            return f"{token.keyword} was given twice"
        case UnusedCliTokensError(unused_tokens=[token, *_]):
            return f"unexpected argument {token!r}"
        case MissingArgumentError(argument=argument) if argument is not None:
            name = error.keyword or argument.name
            return f"missing {name}" if error.keyword is None else f"{name} expects a value"
        case CoercionError(token=token, argument=argument) if argument is not None:
            name = (token and token.keyword) or argument.name
            choices = argument.get_choices(force=True)
            if token is not None and choices:
                return f"{name} {not_one_of(token.value, choices)}"
            return f"{name} {error.msg or 'cannot be read'}"
    return None
