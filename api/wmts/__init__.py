"""WMTS 1.0.0 (OGC 07-057r7): maps as tiles for desks and portals, by key-value pairs and by addresses."""
