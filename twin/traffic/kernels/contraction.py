"""A smaller graph with the same shortest paths: no dead ends, and one link for a chain of links."""

# Compiled loops take arrays by position.
# ruff: noqa: PLR0917

import numpy as np
from numba import njit

from twin.traffic.kernels.delays import COMPILED


@njit(**COMPILED)
def _lists(ends, nodes):  # type: ignore[no-untyped-def]
    first = np.zeros(nodes + 1, np.int64)
    for end in ends:
        first[end + 1] += 1
    first = np.cumsum(first)
    fill = first[:-1].copy()
    links = np.empty(ends.size, np.int64)
    for link in range(ends.size):
        links[fill[ends[link]]] = link
        fill[ends[link]] += 1
    return first, links


@njit(**COMPILED)
def _two(first, links, alive, node):  # type: ignore[no-untyped-def]
    """How many living links a node has, and the places of the first two in its list."""
    count, a, b = 0, -1, -1
    for at in range(first[node], first[node + 1]):
        if alive[links[at]]:
            if count == 0:
                a = at
            elif count == 1:
                b = at
            count += 1
    return count, a, b


@njit(**COMPILED)
def _join(a, b, head, group, alive, following, last, in_first, in_links):  # type: ignore[no-untyped-def]
    """Link b after link a becomes a part of a."""
    to = head[b]
    for at in range(in_first[to], in_first[to + 1]):
        if in_links[at] == b:
            in_links[at] = a
            break
    head[a] = to
    alive[b] = False
    following[last[a]] = b
    last[a] = last[b]
    group[a] = max(group[a], group[b])


@njit(**COMPILED)
def _prune(tail, head, alive, kept, out_first, out_links, in_first, in_links):  # type: ignore[no-untyped-def]
    """Take out links of nodes that no path passes: with one neighbour, or with no way in or out."""
    nodes = kept.size
    stack = np.arange(nodes)
    waiting = np.ones(nodes, np.bool_)
    top = nodes
    while top > 0:
        top -= 1
        node = stack[top]
        waiting[node] = False
        if kept[node]:
            continue
        one, several, ins, outs = -1, False, 0, 0
        for side in range(2):
            first, links, far = (in_first, in_links, tail) if side == 0 else (out_first, out_links, head)
            for at in range(first[node], first[node + 1]):
                if alive[links[at]]:
                    ins += side == 0
                    outs += side == 1
                    several |= one not in (-1, far[links[at]])
                    one = far[links[at]]
        if ins + outs == 0 or (ins > 0 and outs > 0 and several):
            continue
        for side in range(2):
            first, links, far = (in_first, in_links, tail) if side == 0 else (out_first, out_links, head)
            for at in range(first[node], first[node + 1]):
                if alive[links[at]]:
                    alive[links[at]] = False
                    near = far[links[at]]
                    if not waiting[near]:
                        waiting[near] = True
                        stack[top] = near
                        top += 1


@njit(**COMPILED)
def contract(tail, head, group, alive, kept, following):  # type: ignore[no-untyped-def]
    """Change head, group, alive and following (next link of the chain, -1) in place.

    kept: nodes that stay. group: links join if their groups are equal or one is 0.
    """
    nodes = kept.size
    out_first, out_links = _lists(tail, nodes)
    in_first, in_links = _lists(head, nodes)
    _prune(tail, head, alive, kept, out_first, out_links, in_first, in_links)
    last = np.arange(tail.size)
    for node in range(nodes):
        if kept[node]:
            continue
        ins, a, b = _two(in_first, in_links, alive, node)
        outs, c, d = _two(out_first, out_links, alive, node)
        if ins != outs or ins == 0 or ins > 2:
            continue
        i, j, o, p = in_links[a], in_links[max(b, 0)], out_links[c], out_links[max(d, 0)]
        if ins == 2:
            if head[o] == tail[i]:
                o, p = p, o
            if head[o] != tail[j] or head[p] != tail[i] or tail[i] == tail[j]:
                continue
            if group[j] != group[p] and min(group[j], group[p]) > 0:
                continue
        elif head[o] == tail[i]:
            continue
        if group[i] != group[o] and min(group[i], group[o]) > 0:
            continue
        _join(i, o, head, group, alive, following, last, in_first, in_links)
        if ins == 2:
            _join(j, p, head, group, alive, following, last, in_first, in_links)
