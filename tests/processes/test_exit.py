"""Processes that end while a thread of theirs is in the middle of something."""

from __future__ import annotations

import pathlib

from support import run_python

# In the place of the janitor, whose queries are too short to be met.
_ENDS_IN_A_QUERY = """
import sys
import threading

from dash_stash import Stash

stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")
stash.put(1, share=True)
index, begun = stash._deployment.store.handle.index(), threading.Event()

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"

def ask():
    while True:
        begun.set()
        index._database.rows(f"{COUNT} SELECT max(i) FROM n")

threading.Thread(target=ask, daemon=True).start()
begun.wait()
"""


def test_a_process_may_end_while_its_index_is_in_use(folder: pathlib.Path) -> None:
    for _ in range(20):  # to close the index at exit made one in seven end by a signal
        run_python(_ENDS_IN_A_QUERY, folder)
