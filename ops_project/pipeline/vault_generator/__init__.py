"""Writes the dbt files of the vault and the interface layer from metadata tables. The package is pure: its functions
get text, and return text and problems.

- `tables` reads the metadata.
- `references` and `types` check it.
- `naming` contains the names.
- `stages`, `vault`, `interface` and `properties` write the files.
- `drift` compares these files with the files that exist.
"""
