"""Parsers of command lines that report a bad option in one line."""

import argparse
from typing import NoReturn


class OneLineParser(argparse.ArgumentParser):
    """Ends the program with status 2 and one line on a bad option, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Report the error in one line, and exit with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")
