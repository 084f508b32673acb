"""The nouns of the configuration, as strict and frozen values. They check their own consistency and do nothing else."""
