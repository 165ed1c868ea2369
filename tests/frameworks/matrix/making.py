"""Makes the row of a framework: its environment, its runs, and what they came to."""

from .environments import locked_environment, newest_environment
from .executing import ran_in
from .frameworks import Framework
from .judging import judge
from .packages import normalised, versions
from .places import Places
from .rows import Row


def row_of(
    places: Places, framework: Framework, *, locked: bool = False, goes_on: bool = True
) -> Row:
    """Return the row of a framework, with what was done already left as it is.

    Args:
        places: Where things are.
        framework: Whose row it is.
        goes_on: Whether to run what has not run.
        locked: Whether to install what the constraints say, and not the newest releases.
    """
    make = locked_environment if locked else newest_environment
    environment = make(places, framework)
    runs = ran_in(places, framework, environment, goes_on=goes_on) if environment.packages else {}
    found = versions(environment.packages)
    names = [normalised(each) for each in framework.distributions]
    return Row(
        name=framework.name,
        versions={name: found[name] for name in names if name in found},
        outcomes=judge(framework, environment.outcome, runs),
    )
