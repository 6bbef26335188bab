"""Links minute by minute, as simulations of queues and of single vehicles tell them alike."""

from dataclasses import dataclass

from twin.traffic.network import Floats, Integers


@dataclass(frozen=True, eq=False)
class LinkMinutes:
    """A row for each link and time that is told. minute: when the row begins; lasts: for how many minutes it holds.

    link: index. vehicles: on it on average; queue: of these in a queue. speed_m_s: their mean. left: vehicles a
    minute that left it.
    """

    minute: Integers
    lasts: Integers
    link: Integers
    speed_m_s: Floats
    vehicles: Floats
    queue: Floats
    left: Floats
