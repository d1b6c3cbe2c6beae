"""One line of the results, and how lines compare."""

import dataclasses
import math


@dataclasses.dataclass
class Row:
    """What one engine did in one work; numbers are absent where it did not run."""

    work: str
    engine: str
    isa: str
    threads: int
    median_ms: float | None = None
    min_ms: float | None = None
    peak_rss_bytes: int | None = None
    ratio_to_best_peer: float | None = None
    """Its median over the best peer's in the same work on as many threads."""
    first_answer_ms: float | None = None
    """From the start of the process to the first answer."""
    runs: int = 0
    cosine: float | None = None
    """Of its features to those of ONNX Runtime in float32."""
    accuracy: float | None = None
    """Of the trained head, on photos that it was not trained on."""
    parts_ms: dict | None = None
    """Of a whole job: what its time went to."""
    note: str = ""

    def label(self):
        """What `--only` is compared with."""
        return f"{self.work} {self.engine} {self.isa} threads={self.threads}"

    def as_json(self):
        """Only what JSON can say."""
        finite = lambda x: None if isinstance(x, float) and not math.isfinite(x) else x
        return {name: finite(value) for name, value in dataclasses.asdict(self).items()}


def compare(rows, is_peer):
    """Fills `ratio_to_best_peer`."""
    best = {}
    for row in rows:
        if row.median_ms is not None and not row.note and is_peer(row):
            key = (row.work, row.threads)
            best[key] = min(best.get(key, math.inf), row.median_ms)
    for row in rows:
        peer = best.get((row.work, row.threads))
        if peer and row.median_ms is not None:
            row.ratio_to_best_peer = row.median_ms / peer
