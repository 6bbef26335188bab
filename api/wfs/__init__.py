"""Web Feature Service 2.0.0, basic profile, and 1.1.0 (OGC 09-025r2, 04-094): features for desks that know no other."""
