"""What the agents of the corpus read off a task: which session's it is."""


def number_of(task: str) -> str:
    return task.partition("session ")[2].partition("]")[0]


def team_of(task: str) -> int:
    return int(number_of(task)) // 2
