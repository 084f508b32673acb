"""One file for each source of signals. `registry` lists the observers."""
