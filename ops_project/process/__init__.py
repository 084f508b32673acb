"""The processes of this machine: their locks, their time limits, their addresses, and the version of their code."""
