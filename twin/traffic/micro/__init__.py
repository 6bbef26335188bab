"""Single vehicles on a cut-out of a network: Eclipse SUMO (extra `sumo`, EPL-2.0) as a process of its own."""
