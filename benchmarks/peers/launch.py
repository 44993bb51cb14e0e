"""Runs a command and says on standard error's last line how long it took and how much memory, as JSON.

Kept small on purpose: Linux counts what a process was before it became the command into the command's peak memory.
"""

import os
import sys
import time

begin = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - begin
sys.stderr.write(f'\n{{"seconds": {seconds}, "memory": {usage.ru_maxrss / 1024}}}')
sys.exit(os.waitstatus_to_exitcode(status))
