"""What laws 1 to 3 are made of: values, actors and their mailboxes, the graph and its turns.

Standard library only: nothing here knows Flet, an event loop or a task.
"""
