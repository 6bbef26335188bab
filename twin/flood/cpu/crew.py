"""How many threads share the work: as many as pay, which is found out while the flow goes on."""

import numba

# Threads that numba has; a run may use fewer.
LAUNCHED = int(numba.get_num_threads())
# Wet cells that are worth a thread: waking one costs too.
CELLS_A_THREAD = 10_000
# Spells between two trials of one thread against all.
TRIAL_EVERY = 64


class Crew:
    """Chooses between all threads and one by their measured pace.

    Where other programs keep the cores busy, threads wait for the one that does not get its turn, and one alone may be
    several times faster than two. Results do not depend on it.
    """

    def __init__(self, threads: int) -> None:
        self.most = max(1, min(threads, LAUNCHED))
        self.now = self.most
        self._spell, self._work, self._seconds = 0, 0, 0.0
        self._pace: dict[int, float] = {}

    def worked(self, cells: int, seconds: float) -> None:
        """Count a step over so many cells."""
        self._work += cells
        self._seconds += seconds

    def next_spell(self, cells: int) -> None:
        """Choose for the steps that follow, over so many cells. The first spell compiles, and is not judged."""
        affordable = max(1, min(self.most, cells // CELLS_A_THREAD))
        if self._work and self._spell > 1:
            self._pace[self.now] = self._seconds / self._work
        self._spell, self._work, self._seconds = self._spell + 1, 0, 0.0
        trial = self._spell % TRIAL_EVERY
        if affordable == 1 or trial == 2:
            self.now = 1
        elif trial == 3 or len(self._pace) < 2:
            self.now = affordable
        else:
            self.now = min(affordable, min(self._pace, key=lambda threads: self._pace[threads]))
        self.muster()

    def muster(self) -> None:
        """Have compiled loops of this Python thread use as many."""
        numba.set_num_threads(self.now)
