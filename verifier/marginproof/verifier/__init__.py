"""The venue's side: a numbered procedure that judges presentations, and the daemon that serves it.

Pure: :mod:`.procedure`, :mod:`.facts`, :mod:`.book`, :mod:`.status`, :mod:`.offline`. The rest reads clocks, sockets
and files, and hands what it found to the pure part as values.
"""
