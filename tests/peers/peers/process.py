"""A worker as a process: started on one core or more, asked for rounds, and weighed."""

import json
import os
import pathlib
import re
import subprocess
import time

from peers.places import HERE


class Failed(Exception):
    """A worker ended, or did not begin; the text says why."""


class Worker:
    """A running worker. `first_answer_ms` runs from the start of its process to its first answer."""

    def __init__(self, command, environment, cores):
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(HERE)} | environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        line = self.process.stdout.readline()
        self.first_answer_ms = (time.perf_counter() - begun) * 1e3
        if line.strip() != "ready":
            self.fail()

    def fail(self):
        """Ends it and says what it said."""
        _, errors = self.process.communicate()
        said = [line for line in errors.strip().splitlines() if line.strip()]
        raise Failed(said[-1].strip() if said else f"ended with status {self.process.returncode}")

    def run(self, seconds):
        """Times of single answers over so long, in milliseconds."""
        try:
            self.process.stdin.write(f"run {seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.fail()
        line = self.process.stdout.readline()
        if not line:
            self.fail()
        return [nanoseconds / 1e6 for nanoseconds in json.loads(line)]

    def peak_rss_bytes(self):
        """The most memory that it ever had resident."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE).group(1)) * 1024

    def close(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stderr.read()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
