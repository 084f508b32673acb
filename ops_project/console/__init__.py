"""The web console, which `ops serve` serves. By default, it answers only browsers on the same machine."""
