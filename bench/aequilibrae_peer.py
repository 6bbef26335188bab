"""One assignment by AequilibraE, run with its own Python: a problem as .npz in, flows and seconds as .npz out.

python aequilibrae_peer.py PROBLEM.npz ANSWER.npz GAP MOST_ITERATIONS CORES
"""

import os
import sys
import time

os.environ["AEQ_SHOW_PROGRESS"] = "FALSE"

import numpy as np
import pandas as pd
from aequilibrae.matrix import AequilibraeMatrix
from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass


def main(problem: str, answer: str, gap: float, most: int, cores: int) -> None:
    p = np.load(problem)
    zones = len(p["demand"])
    # It wants a power of at least 1 and some time on every link.
    rising = (p["alpha"] > 0) & (p["beta"] > 0)
    network = pd.DataFrame(
        {
            "link_id": np.arange(1, len(p["tail"]) + 1),
            "a_node": p["tail"] + 1,
            "b_node": p["head"] + 1,
            "direction": np.ones(len(p["tail"]), np.int64),
            "free_flow_time": np.maximum(p["time"], 1e-8),
            "capacity": p["capacity"],
            "alpha": np.where(rising, p["alpha"], 0.0),
            "beta": np.where(rising, p["beta"], 1.0),
        }
    )
    graph = Graph()
    graph.network = network
    graph.prepare_graph(np.arange(1, zones + 1))
    graph.set_graph("free_flow_time")
    graph.set_blocked_centroid_flows(bool(p["blocked"]))
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=zones, matrix_names=["car"], memory_only=True)
    matrix.index[:] = np.arange(1, zones + 1)
    matrix.matrices[:, :, 0] = p["demand"]
    matrix.computational_view(["car"])
    cars = TrafficClass("car", graph, matrix)
    assignment = TrafficAssignment()
    assignment.set_classes([cars])
    assignment.set_vdf("BPR")
    assignment.set_vdf_parameters({"alpha": "alpha", "beta": "beta"})
    assignment.set_capacity_field("capacity")
    assignment.set_time_field("free_flow_time")
    assignment.set_algorithm("bfw")
    assignment.max_iter = most
    assignment.rgap_target = gap
    assignment.set_cores(cores)
    began, busy = time.perf_counter(), time.process_time()
    assignment.execute()
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    loads = cars.results.get_load_results()
    flow = loads["car_ab"].reindex(network["link_id"]).fillna(0).to_numpy()
    iterations = len(assignment.assignment.convergence_report["rgap"])
    np.savez(answer, flow=flow, seconds=seconds, cpu=cpu, iterations=iterations)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
