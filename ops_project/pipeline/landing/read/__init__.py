"""Read a file into text columns, and cast these by the contract."""
