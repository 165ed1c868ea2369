"""Compares many with reality: `python -m tests.mocks.clock.programs NUMBER SEED [shrink]`."""

import sys

from .comparison import compare_many

made = compare_many(int(sys.argv[1]), int(sys.argv[2]), shrinks="shrink" in sys.argv)
sys.stdout.write(
    f"{made.agree} agree, {made.unsteady} are not steady, {made.disturbed} could not be judged "
    f"on this machine, {len(made.disagreements)} disagree\n"
)
sys.stdout.write("\n".join(made.disagreements))
sys.exit(bool(made.disagreements))
