"""The classes of the configuration files, and values such as alerts and signals. Their objects are frozen. They check
their own consistency and do nothing else.
"""
