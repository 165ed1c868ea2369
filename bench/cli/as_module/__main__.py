"""``python -m warpbench``: installed as a module of the namespace itself (see pyproject.toml)."""

import sys

from .bench.cli.main import main  # type: ignore[import-not-found]  # seen from the namespace

sys.exit(main())
