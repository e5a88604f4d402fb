"""The parts of the chapter, in its order."""

from __future__ import annotations

from dash_stash.demo.chapter import aggregates, cache_and_signal, cleaned_frame, global_variable, session_data
from dash_stash.demo.shell import Chapter
from dash_stash.demo.stashed import aggregates as our_aggregates
from dash_stash.demo.stashed import cache_and_signal as our_cache_and_signal
from dash_stash.demo.stashed import cleaned_frame as our_cleaned_frame
from dash_stash.demo.stashed import global_variable as our_global_variable
from dash_stash.demo.stashed import session_data as our_session_data

CHAPTERS = [
    Chapter(
        "global",
        0,
        "The global variable that goes wrong",
        "The global variable",
        "A like is counted in a variable of the module. Each worker has its own, so the number depends on who answers. "
        "Press Like a few times and watch.",
        global_variable,
        our_global_variable,
    ),
    Chapter(
        "frame",
        1,
        "A cleaned frame for a graph and a table",
        "A cleaned frame",
        "A slow query gives a year of weather. The graph and the table use it, in °F or °C. "
        "Left, the frame travels through the browser as JSON, there and back for each; right, a reference does.",
        cleaned_frame,
        our_cleaned_frame,
    ),
    Chapter(
        "parts",
        2,
        "Aggregates computed ahead",
        "Computed ahead",
        "One query, several aggregates, and each graph needs only its own. "
        "Left, all of them go to the browser and back for each graph; right, each graph holds a reference to its part.",
        aggregates,
        our_aggregates,
    ),
    Chapter(
        "signal",
        3,
        "Cache and signal: four graphs, one computation",
        "Cache and signal",
        "An expensive query runs once, a signal wakes four graphs, and any worker may draw them. "
        "Left, each graph unpickles a copy from Flask-Caching's files; right, each maps the stored one.",
        cache_and_signal,
        our_cache_and_signal,
    ),
    Chapter(
        "session",
        4,
        "Data of one session",
        "Data of one session",
        "Get data draws 20 flights at random for you. Reload the page, or open it in another browser: "
        "left, the id lies in the page and is new at each load; right, your session keeps its data, and nobody else's browser sees it.",
        session_data,
        our_session_data,
    ),
]
