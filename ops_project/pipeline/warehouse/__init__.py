"""The warehouse file: its lock, connection, snapshots, publishing and repair."""
