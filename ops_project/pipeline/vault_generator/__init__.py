"""Writes the dbt files of the vault and the interface layer from metadata tables. The package is pure: text in, text
and problems out.

`tables` reads the metadata, `references` and `types` check it, `naming` holds the names, `stages`, `vault`, `interface`
and `properties` write the files, and `drift` compares them with those that exist.
"""
