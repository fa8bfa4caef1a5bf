"""Run one program and tell what it took: exit code, seconds, processor seconds, kibibytes resident, time of start.

    python -I -S launch.py PROGRAM ARGUMENTS

The largest resident memory that a kernel tells of a process is never less than that of the process which started it,
because a child begins as a copy. That is why this is a process of its own which imports next to nothing: whatever is
written in Python itself is larger. What the program writes is thrown away, except for the end of its standard error.

The result is one line on standard output. The time of start is that of the monotonic clock, which processes share.
"""

import os
import sys
from time import monotonic

KEPT = 2000  # bytes of standard error


def main() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    redirected = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, nothing, 1),
        (os.POSIX_SPAWN_DUP2, errors, 2),
    ]
    began = monotonic()
    process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=redirected)
    _, status, usage = os.wait4(process, 0)
    wall = monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    print(code, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, began)


main()
