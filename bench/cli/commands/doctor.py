"""``warpbench doctor``: how well this machine measures."""


def doctor() -> int:
    """Check how well this machine measures."""
    from ..doctor import check

    return check()
