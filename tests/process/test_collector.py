"""The search for cyclic garbage is suspended for a block only, and a process that loads the definitions searches
seldom.
"""

from __future__ import annotations

import gc
import subprocess
import sys

from ops_project.process import collector


def test_it_is_suspended_within_the_block_and_goes_on_after_an_error() -> None:
    assert gc.isenabled()
    try:
        with collector.held_up():
            assert not gc.isenabled()
            with collector.held_up():
                pass
            assert not gc.isenabled(), "the inner block does not end what the outer one began"
            raise ZeroDivisionError
    except ZeroDivisionError:
        assert gc.isenabled()


def test_the_command_searches_seldom() -> None:
    program = "import gc, sys; sys.argv = ['ops', '--version']; import ops_project.cli as c; c.cli = lambda **_: None; c.main(); print(gc.get_threshold()[0])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 700
