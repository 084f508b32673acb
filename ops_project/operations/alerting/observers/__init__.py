"""The observers: one file for each source of signals. `registry` lists them."""
