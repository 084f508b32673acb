"""The processes of this machine: locks, watchdog, kill points, code version."""
