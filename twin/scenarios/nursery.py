"""What the process that runs are forked from loads, once: importing it takes seconds, forking it milliseconds."""

import os
from importlib import import_module

from twin.process import die_with_parent

# Servers go before runs, and before getting ready for them.
NICENESS = 10

# Nothing of ours is called in that process but by importing this. Without the first it would outlive a worker that is
# killed by seconds, and with it what it has forked.
die_with_parent()
os.nice(NICENESS)
import_module("twin.scenarios.compute")
