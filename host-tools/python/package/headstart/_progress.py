"""Progress: a bar where there is somebody to see it, a callback, or nothing."""

from __future__ import annotations

import sys
from typing import Any, Callable, Optional, Union

#: Called as ``callback(work, done, steps, loss)``: what is done ("features", "training", ...), how many of how many steps, and the loss of
#: the last epoch where a tail is trained.
Callback = Callable[[str, int, int, Optional[float]], object]
#: ``None``: a bar of tqdm where that is installed and somebody watches; ``False``: nothing; a callback.
Progress = Union[None, bool, Callback]


class _Bar:
    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None
        self._work = ""

    def __call__(self, work: str, done: int, steps: int, loss: float | None) -> None:
        if self._bar is None or self._work != work or self._bar.total != steps:
            self.close()
            self._bar, self._work = self._tqdm(total=steps, desc=work, leave=False), work
        self._bar.update(done - self._bar.n)
        if loss is not None:
            self._bar.set_postfix(loss=f"{loss:.3f}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Watching:
    """``with Watching(progress) as tell:`` gives what the native half calls, or None."""

    def __init__(self, progress: Progress) -> None:
        self._bar: _Bar | None = None
        self._tell: Callback | None = None
        if callable(progress):
            self._tell = progress
        elif progress is True or (progress is None and _is_watched()):
            self._tell = self._bar = _bar()

    def __enter__(self) -> Callback | None:
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _is_watched() -> bool:
    return "ipykernel" in sys.modules or bool(sys.stderr and sys.stderr.isatty())


def _bar() -> _Bar | None:
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Bar(tqdm)
