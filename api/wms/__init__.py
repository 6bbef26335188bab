"""Web Map Service 1.3.0 and 1.1.1 (OGC 06-042, 01-068r3): maps for desks and portals that read no tiles."""
