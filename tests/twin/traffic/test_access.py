"""Trees, routes, isochrones and matrices, beside scipy's Dijkstra and by hand."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from tests.twin.traffic.networks import grid, published
from twin.traffic import InvalidNetwork, Network, Router, check
from twin.traffic.checks import largest_part


def by_scipy(network: Network, towards: bool = False) -> np.ndarray:
    """Times between all nodes; scipy adds parallel links up, so the quickest of them is taken first."""
    order = np.argsort(-network.free_time_s, kind="stable")
    dense = np.full((network.nodes, network.nodes), np.inf)
    dense[network.tail[order], network.head[order]] = network.free_time_s[order]
    found = dijkstra(csr_matrix(np.where(np.isfinite(dense), dense, 0)))
    return found.T if towards else found


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), side=st.integers(2, 7), two_way=st.booleans())
def test_times_are_those_of_scipy(seed: int, side: int, two_way: bool) -> None:
    network = grid(side, seed, two_way)
    router, outside = Router(network), by_scipy(network)
    root = seed % network.nodes
    assert router.tree(root).time_s == pytest.approx(outside[root])
    assert router.tree(root, towards=True).time_s == pytest.approx(outside[:, root])
    assert router.matrix(range(network.nodes), [0, root]) == pytest.approx(outside[:, [0, root]])
    several = [0, root, network.nodes - 1]
    nearest, seconds = router.nearest(several)
    assert seconds == pytest.approx(outside[:, several].min(axis=1))
    reached = nearest >= 0
    assert outside[np.flatnonzero(reached), np.array(several)[nearest[reached]]] == pytest.approx(seconds[reached])
    route = router.route(0, root)
    assert (route is None) == np.isinf(outside[0, root])
    if route is not None:
        assert network.free_time_s[route.links].sum() == pytest.approx(outside[0, root])
        assert (network.head[route.links[:-1]] == network.tail[route.links[1:]]).all()


def test_a_published_network_with_centroids(shared_data: Path) -> None:
    """No way leads through a zone of Anaheim: scipy gets a network in which zones are split in two."""
    network, _ = published(shared_data, "Anaheim")
    n = network.nodes
    # Arrivals at a centroid end at its double.
    head = np.where(network.through[network.head], network.head, network.head + n)
    split = Network.build(np.arange(2 * n), network.tail, head, network.free_time_s, network.capacity)
    outside = by_scipy(split)[:38]
    ends = np.where(network.through, np.arange(n), np.arange(n) + n)
    matrix = Router(network).matrix(network.zone_ids.tolist(), network.node_ids.tolist())
    expected = outside[:, ends]
    expected[np.arange(38), np.arange(38)] = 0
    assert matrix == pytest.approx(expected)


def test_an_isochrone_ends_within_links() -> None:
    """A street of three links of 10 s: in 15 s the second is half driven."""
    network = Network.build(list("abcd"), [0, 1, 2], [1, 2, 3], 10.0, 1.0, length_m=100.0)
    seconds, share = Router(network).isochrone("a", 15.0)
    assert seconds.tolist() == [0, 10, np.inf, np.inf]
    assert share == pytest.approx([1.0, 0.5, 0.0])
    _, back = Router(network).isochrone(["d"], 15.0, towards=True)
    assert back == pytest.approx([0.0, 0.5, 1.0])
    assert Router(network.closing([1])).isochrone("a", 100.0)[1] == pytest.approx([1, 0, 0])


def test_turns_count_in_ways() -> None:
    """A penalty of 12 s at b sends the way from a to d by c; a ban too; times to b stay."""
    network = Network.build(
        list("abcd"), [0, 1, 0, 2], [1, 3, 2, 3], [10, 10, 15, 15], 1.0, link_ids=["ab", "bd", "ac", "cd"], length_m=1.0
    )
    router = Router(network.with_turns([("ab", "bd", 12.0)]))
    route = router.route("a", "d")
    assert route is not None
    assert (route.links.tolist(), route.time_s, route.length_m) == ([2, 3], 30.0, 2.0)
    assert router.tree("a").time_s.tolist() == [0, 10, 15, 30]
    assert router.tree("d", towards=True).time_s.tolist() == [30, 10, 15, 0]
    assert router.tree("b").time_s.tolist() == [np.inf, 0, np.inf, 10]
    # At b one stands 22 s after a before the second link is entered.
    assert router.isochrone("a", 25.0)[1] == pytest.approx([1, 0.3, 1, 2 / 3])


def test_unknown_places_and_times_are_refused() -> None:
    network = grid(2)
    with pytest.raises(InvalidNetwork, match="no node 99"):
        Router(network).tree(99)
    with pytest.raises(InvalidNetwork, match="values of 0 s or more"):
        Router(network, -network.free_time_s)
    assert Router(network, np.full(network.links, np.inf)).route(0, 3) is None


def test_checks_find_what_was_broken() -> None:
    """A block, a one-way street into nowhere, one out of nowhere, an island, and links without length."""
    network = Network.build(
        np.arange(10),
        [0, 1, 1, 2, 2, 0, 1, 4, 5, 6, 7, 7, 0],
        [1, 0, 2, 1, 0, 2, 3, 0, 6, 5, 7, 8, 1],
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1],
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1],
        length_m=[5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 0, 5, 5],
    )
    found = {each.kind: each for each in check(network)}
    assert sorted(largest_part(network)) == [0, 1, 2]
    assert found["trap"].nodes.tolist() == [3]
    assert found["source"].nodes.tolist() == [4]
    assert found["island"].nodes.tolist() == [5, 6, 7, 8]
    assert found["loop"].links.tolist() == found["zero_length"].links.tolist() == found["zero_time"].links.tolist()
    assert found["zero_capacity"].links.tolist() == [11]
    assert found["duplicate"].links.tolist() == [12]
    assert all(each.title[0] and each.title[1] for each in found.values())
    assert check(grid(4)) == []
