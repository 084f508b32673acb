"""Which copy is meant, and what a restore will do: decided before anything is done, without any I/O."""
