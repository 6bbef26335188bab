"""What the process that runs are forked from loads, once: importing it takes seconds, forking it milliseconds."""

import twin.scenarios.compute  # noqa: F401
from twin.process import die_with_parent

# It runs nothing of ours but what it imports; without this it would outlive a worker that is killed by seconds.
die_with_parent()
