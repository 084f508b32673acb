"""Reads a file into columns of text, and casts the texts to the types of the contract."""
