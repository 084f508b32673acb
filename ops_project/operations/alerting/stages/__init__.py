"""The stages of a cycle, in their order: observe, decide, act."""
