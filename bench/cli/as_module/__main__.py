"""``python -m warpbench``: installed as a module of the namespace itself (see pyproject.toml)."""

import sys

from warpbench.bench.cli.main import main

sys.exit(main())
