"""Metadata tables → dbt files of the vault and the interface layer. Pure: text in, text and problems out.

`tables` reads, `references` and `types` judge, `naming` says what things are called, `stages`, `vault`, `interface` and
`properties` write, `drift` compares.
"""
