"""Wildau: a town's network in SUMO's format with 18 counts, and what other tools made of them."""

import re
from pathlib import Path

import numpy as np

from twin.traffic.access import Router
from twin.traffic.checks import largest_part
from twin.traffic.counts import Fit, fit
from twin.traffic.demand import Demand
from twin.traffic.gravity import Deterrence, gravity
from twin.traffic.readers import sumo

COUNT = re.compile(r'<edge\s+id="([^"]+)"\s+entered="(\d+)"')
INTERVAL = re.compile(r'<interval begin="(\d+)" end="(\d+)"')
# Root mean square errors of calibration tools, vehicles in two hours (DLR-TS/sumo-scenarios, Wildau).
PUBLISHED = {"routeSampler": 0.141, "manual": 5.81, "flowrouter": 96.44, "cadyts": 201.1, "dfrouter": 253.4}
# The prior: trips an hour of the whole town between all crossings, by length of street, of five minutes' mean time.
TRIPS_AN_HOUR, MEAN_S = 3000.0, 300.0
LEAST_TRIPS = 1e-2


def fitted(folder: Path) -> tuple[Fit, float]:
    """The made-up prior fitted to the counts (as hourly flows), and the hours that were counted."""
    network = sumo.read_network(folder / "net.net.xml.gz")
    text = (folder / "edgedata-file_Wildau.xml").read_text(encoding="utf-8")
    begin, end = next((int(m[1]), int(m[2])) for m in INTERVAL.finditer(text))
    hours = (end - begin) / 3600
    index = {each: n for n, each in enumerate(network.link_ids.tolist())}
    counts = {index[m[1]]: float(m[2]) / hours for m in COUNT.finditer(text)}
    nodes = largest_part(network)
    ids = network.node_ids[nodes].tolist()
    cost = Router(network).matrix(ids, ids)
    lengths = [np.bincount(ends, network.length_m, network.nodes)[nodes] for ends in (network.tail, network.head)]
    produced, attracted = (TRIPS_AN_HOUR * each / each.sum() for each in lengths)
    trips = gravity(produced, attracted, cost, Deterrence(1 / MEAN_S))
    prior = Demand.from_matrix(np.where(trips < LEAST_TRIPS, 0.0, trips), ids)
    return fit(network, prior, counts), hours
