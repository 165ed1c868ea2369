"""Random concurrent programs that run in plain Python as well as in a clock's scope.

A program is a list of *actors*: threads and tasks that take steps (sleep, take a lock, feed a
queue, wait for an event, …) on parts that they share. Its parts may be made before the scope. All
times are multiples of a unit, and what is compared is when each step of each actor ended, in units,
and how.

What happens at the same moment is up to chance in real life, and so is what follows from it. A
program is *steady* if nothing changes when each of its waits is a little longer or shorter, nor
when what was handed to a thread comes back before the loop's next step, nor when each step begins a
trifle later: only such a program can be held against reality.

What a program is and how one is drawn (``program``), the steps of threads and of tasks, running one
(``running``), and holding it against reality (``comparison``).
"""
