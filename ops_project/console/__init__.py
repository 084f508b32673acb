"""What `ops serve` serves: pages for people, on loopback unless told otherwise."""
