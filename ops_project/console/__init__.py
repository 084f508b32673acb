"""The web console, which `ops serve` serves. By default only this machine can open it."""
