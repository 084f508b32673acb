"""`python -m ops_project.cli`: the same as `ops`."""

from ops_project.cli import main

main()
