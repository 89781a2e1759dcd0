"""The log of a backend under test.

Not here: checking its lines."""
import os
import threading


class Log:
    """What a backend logs, through a pipe, which has no size limit like a file and is never full."""

    def __init__(self):
        reading, self.pipe = os.pipe()
        self._lines = []
        self._thread = threading.Thread(target=self._read, args=(reading,))
        self._thread.start()

    def _read(self, reading):
        with os.fdopen(reading) as pipe:
            self._lines.extend(pipe)

    def lines(self):
        """All lines; the backend must have ended. May be called again."""
        if self._thread.is_alive():
            os.close(self.pipe)
            self._thread.join()
        return self._lines
