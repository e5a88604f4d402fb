"""The program that is read: its files, modules, functions and classes."""
