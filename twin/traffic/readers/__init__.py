"""Networks and trips from files: TNTP, line layers and city roads, GMNS, SUMO, OMX."""
