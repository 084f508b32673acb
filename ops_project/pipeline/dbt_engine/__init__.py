"""Runs dbt in this process: parses the project, adds the files of a configuration folder, runs commands, and decides
which tables are built anew.
"""
