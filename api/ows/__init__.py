"""What the services of OWS Common (OGC 06-121r3) share: key-value pairs, XML, exceptions, metadata of the service."""
