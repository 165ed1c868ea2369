"""Why a schema has no instance."""


class NoInstanceError(Exception):
    """No instance of a schema can be made.

    Attributes:
        path: Where in the schema, as a JSON pointer from its root, ``#``.
        reason: Why.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class ContradictionError(NoInstanceError):
    """This part of a schema has no instance; another alternative may have one."""


class IntricateError(NoInstanceError):
    """Too many alternatives were tried."""
