"""Forks at any moment: neither parent nor child sees anything of them."""

from __future__ import annotations

import pathlib

from processes.apps import forks
from processes.running import result, start


def test_threads_write_while_another_forks_children_that_write_too(url: str) -> None:
    assert result(start(forks.while_threads_write, url, 100), 300) == []


def test_a_child_that_was_forked_while_a_thread_opened_the_index_opens_it_for_itself(
    folder: pathlib.Path,
) -> None:
    assert result(start(forks.while_a_thread_opens_the_index, folder))
