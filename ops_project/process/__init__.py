"""What concerns the processes of this machine: watchdog, kill points, code version."""
