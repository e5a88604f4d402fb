"""A bounded table: never more than its limit, whoever adds, and reads as cheap as a dict's."""

from __future__ import annotations

import threading

from dash_stash.bounded import BoundedTable


def table_of(limit: int, *keys: str) -> BoundedTable[str, str]:
    table: BoundedTable[str, str] = BoundedTable(limit)
    for key in keys:
        table[key] = key.upper()
    return table


def test_a_full_table_forgets_what_was_added_first() -> None:
    table = table_of(2, "a", "b", "c")
    assert table.items() == [("b", "B"), ("c", "C")]
    assert table.get("a") is None


def test_a_value_that_is_replaced_costs_no_other_its_place() -> None:
    table = table_of(2, "a", "b")
    table["a"] = "again"
    assert table.items() == [("a", "again"), ("b", "B")]


def test_what_is_popped_makes_room() -> None:
    table = table_of(2, "a", "b")
    assert table.pop("a", None) == "A"
    assert table.pop("a", None) is None
    table["c"] = "C"
    assert table.items() == [("b", "B"), ("c", "C")]


def test_a_cleared_table_is_empty_and_is_bounded_still() -> None:
    table = table_of(2, "a", "b")
    table.clear()
    assert len(table) == 0
    for key in "cde":
        table[key] = key
    assert len(table) == 2


def test_a_listing_does_not_change_when_the_table_does() -> None:
    table = table_of(2, "a", "b")
    listed = table.items()
    table.clear()
    assert listed == [("a", "A"), ("b", "B")]


def test_threads_that_add_and_remove_at_the_same_time_get_no_error_and_keep_the_limit() -> None:
    table: BoundedTable[int, int] = BoundedTable(8)
    threads, begin, errors, most = 4, threading.Barrier(4), list[BaseException](), list[int]()

    def change(first: int) -> None:
        begin.wait()
        try:
            for number in range(5000):
                table[first + number % 100] = number
                table.get(first)
                table.pop(first + (number + 50) % 100, None)
                most.append(len(table))
        except BaseException as error:
            errors.append(error)

    running = [threading.Thread(target=change, args=(1000 * n,)) for n in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert errors == []
    assert max(most) <= 8 + threads
