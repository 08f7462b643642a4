"""What lets one command run the whole product on a machine that has only Python.

Nothing here imports Django at import time: the supervisor stays small, starts fast, and can
speak clearly before anything is installed.
"""
