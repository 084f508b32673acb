"""The parts of a home in PostgreSQL: written to files, loaded again, and compared by checksum. No external tool is
needed.
"""
