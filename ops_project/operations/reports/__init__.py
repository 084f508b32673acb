"""Reports say what happened in a period, what it meant, and what to do. They consist of figures with their
definitions.
"""
