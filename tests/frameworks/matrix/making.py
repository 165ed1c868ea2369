"""Makes the row of a framework: its environment, its runs, and what they came to."""

from .deadlines import NO_DEADLINE, Deadline
from .environments import locked_environment, newest_environment
from .executing import Commands, ran_in
from .frameworks import Framework
from .judging import judge
from .packages import normalised, versions
from .places import Places
from .rows import Row


def row_of(
    places: Places,
    framework: Framework,
    *,
    locked: bool = False,
    goes_on: bool = True,
    deadline: Deadline = NO_DEADLINE,
) -> Row:
    """Return the row of a framework, with what was done already left as it is.

    Args:
        places: Where things are.
        framework: Whose row it is.
        locked: Whether to install what the constraints say, and not the newest releases.
        goes_on: Whether to run what has not run.
        deadline: Until when it may be made.

    Raises:
        OutOfTimeError: It was not made by then; what was done is kept.
    """
    make = locked_environment if locked else newest_environment
    environment = make(places, framework, deadline)
    commands = Commands(places, framework, environment, deadline)
    run = commands.ran if goes_on else commands.known
    runs = ran_in(framework, run, commands.known) if environment.packages else {}
    found = versions(environment.packages)
    names = [normalised(each) for each in framework.distributions]
    return Row(
        name=framework.name,
        versions={name: found[name] for name in names if name in found},
        outcomes=judge(framework, environment.outcome, runs),
    )
