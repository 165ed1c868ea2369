"""Virtual time does not depend on the hash seed: whole runs, each in an interpreter of its own."""

from .....conftest import Warpbench

VIRTUAL = ("--json", "--clock", "virtual")
EVERY_STRATEGY = "sync,threads,executor,gather,taskgroup,workers,blocking"


def test_repeats_over_hash_seeds_are_the_same_in_every_field(warpbench: Warpbench) -> None:
    command = ("run", "tools", "research", *VIRTUAL, "--strategy", EVERY_STRATEGY)
    load = ("--sessions", "10", "--concurrency", "10", "--tool-workers", "default")
    structures = []
    for hash_seed in ("0", "4242"):
        finished = warpbench(*command, *load, PYTHONHASHSEED=hash_seed)
        assert finished.status == 0, finished.err
        structures.append(finished.structure)

    assert structures[0] == structures[1]
