"""Reports as dictionaries."""

from __future__ import annotations

from typing import Any


class Report(dict[str, Any]):
    """A report: the same keys and values as the command line prints with ``--json``, and each key is an attribute too.

    Tables are lists of dictionaries, as ``pandas.DataFrame(report["classes"])`` takes them.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the report has no {name!r}, but {', '.join(self)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]
