"""Streets without a choice as one link, and where along them a queue stands."""

import numpy as np
import pytest

from twin.traffic import Network
from twin.traffic.chains import Chains, chained
from twin.traffic.dynamic import Flows, Minutes, Shut, simulate
from twin.traffic.queues import by_minute, thinned
from twin.traffic.signals import Phase, Signal

LENGTH_M, SPEED_M_S = 300.0, 15.0


def line(count: int, **more: object) -> Network:
    """A one-way street of links of 300 m from node 0 on."""
    ends = np.arange(count)
    return Network.build(
        range(count + 1), ends, ends + 1, LENGTH_M / SPEED_M_S, 1800.0, x=np.arange(count + 1) * LENGTH_M,
        y=np.zeros(count + 1), length_m=LENGTH_M, **more,
    )  # fmt: skip


def whole(network: Network, kept: list[int], group: np.ndarray | None = None) -> Chains:
    flags = np.isin(np.arange(network.nodes), kept)
    return chained(network, np.ones(network.links, bool), flags, np.zeros(network.links) if group is None else group)


def test_a_street_without_crossings_is_one_link_and_keeps_its_sums() -> None:
    chains = whole(line(6), [0, 6])
    assert chains.network.links == 1
    assert chains.links.tolist() == [0, 1, 2, 3, 4, 5]
    assert (chains.network.length_m[0], chains.network.free_time_s[0]) == (6 * LENGTH_M, 120)
    assert whole(line(6), [0, 3, 6]).first.tolist() == [0, 3, 6]
    apart = whole(line(6), [0, 6], np.array([0, 0, 1, 0, 0, 0]))
    assert apart.first.tolist() == [0, 2, 3, 6]


def test_both_ways_are_chains_of_their_own_and_a_fork_ends_them() -> None:
    """a = b = c, and from c to d and e: nobody chooses in b."""
    tail, head = [0, 1, 2, 1, 2, 2], [1, 2, 1, 0, 3, 4]
    network = Network.build(list("abcde"), tail, head, 10.0, 1800.0, length_m=100.0)
    found = {tuple(each) for each in np.split(*_parts(whole(network, [0])))}
    assert found == {(0, 1), (2, 3), (4,), (5,)}


def _parts(chains: Chains) -> tuple[np.ndarray, np.ndarray]:
    return chains.links, chains.first[1:-1]


def test_two_ways_between_the_same_crossings_stay_apart() -> None:
    """An engine that names ways by their nodes takes two links between the same two for one."""
    network = Network.build(list("abcd"), [0, 1, 0, 2], [1, 3, 2, 3], 10.0, 1800.0, length_m=100.0)
    chains = whole(network, [0, 3])
    ends = list(zip(chains.network.tail.tolist(), chains.network.head.tolist(), strict=True))
    assert len(set(ends)) == len(ends) == 3


def test_signals_go_along() -> None:
    plan = Signal((3,), (Phase((2,), 30.0), Phase((5,), 20.0)))
    (found,) = whole(line(6), [0, 3, 6]).signals([plan])
    assert found.phases[0].links == (0,)
    assert whole(line(6), [0, 6]).signals([plan]) == []


def test_a_queue_grows_backwards_from_what_is_closed_and_dissolves_from_its_head() -> None:
    """0.2 vehicles/s before a link that closes for ten minutes: a standing car has 5 m, and those that come are 75 m
    apart, so the queue's end moves back by 0.2 / (1/5 - 1/75) = 1.07 m/s, link by link.
    """
    network = line(7)
    chains = whole(network, [0, 6, 7])
    flows = Flows(np.array([0]), np.array([2]), np.array([720.0]), 0, 2400)
    shut = Shut(chains.having(np.arange(7) == 6).tolist(), 600, 1200)
    found = by_minute(chains, simulate(chains.network, [flows], 2400, shut=[shut], platoon=1), 1)
    queue = np.zeros((40, 7))
    queue[found.minute, found.link] = found.queue
    speed = 0.2 / (1 / 5 - 0.2 / SPEED_M_S)
    # Those on the closed link stay on it; the first to find it closed come to its beginning at once.
    for minute, upto in ((14, 270), (17, 480), (19, 608)):
        length = 5 * queue[minute - 1 : minute + 1, :6].sum(axis=1).mean()
        assert length == pytest.approx(upto * speed / 1.07, abs=60)
        covered = np.flatnonzero(queue[minute, :6] > 1)
        assert covered.tolist() == list(range(covered.min(), 6))
    assert queue[19, 5] == pytest.approx(60, abs=3)
    assert queue[35].sum() == 0
    assert found.vehicles.sum() == pytest.approx(_held(chains, network, found.minute.max() + 1), rel=0.1)
    calm = thinned(found)
    assert calm.queue.sum() == pytest.approx(found.queue.sum())
    assert (calm.vehicles * calm.lasts).sum() == pytest.approx(found.vehicles.sum())
    assert len(calm.minute) < len(found.minute) / 2


def _held(chains: Chains, network: Network, minutes: int) -> float:
    """Vehicle-minutes on the street as the engine itself counts them."""
    flows = Flows(np.array([0]), np.array([2]), np.array([720.0]), 0, 2400)
    shut = Shut(chains.having(np.arange(7) == 6).tolist(), 600, 1200)
    found: Minutes = simulate(chains.network, [flows], 2400, shut=[shut], platoon=1)
    return float(found.vehicles[:minutes].sum())


def test_a_share_of_capacity_lets_that_share_through() -> None:
    network = line(3)
    flows = Flows(np.array([0]), np.array([3]), np.array([1500.0]), 0, 1800)
    found = simulate(network, [flows], 1800, shut=[Shut([1], 600, 1800, 0.25)], platoon=1)
    assert found.left[-1, 1] - found.left[19, 1] == pytest.approx(0.25 * 1800 / 6, rel=0.1)
    assert found.trips == found.finished + found.on_road + found.waiting + found.given_up == 750


def test_drivers_keep_to_their_ways_or_look_for_another() -> None:
    """Two ways from a to d, the short one closed: those with a way of their own wait before it, the others go round."""
    network = Network.build(
        list("abcd"), [0, 1, 0, 2], [1, 3, 2, 3], [20.0, 20.0, 40.0, 40.0], 1800.0, x=[0, 300, 300, 600],
        y=[0, 100, -100, 0], length_m=300.0,
    )  # fmt: skip
    ends = np.array([0]), np.array([3]), np.array([360.0]), 0, 1200
    shut = [Shut([1], 0, 1800)]
    kept = simulate(network, [Flows(*ends, ways=[[0, 1]])], 1800, shut=shut, platoon=1, look_again_s=60)
    free = simulate(network, [Flows(*ends)], 1800, shut=shut, platoon=1, look_again_s=60)
    # UXsim lets in whoever comes with its first second.
    assert kept.finished <= 1
    assert free.finished == free.trips == 120
