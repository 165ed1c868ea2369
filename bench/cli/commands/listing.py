"""``warpbench list``: what there is."""


def listing() -> int:
    """List what there is."""
    from ..listing import show

    return show()
