"""Functional coverage: what must have been seen, how often it was, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from market.errors import Fatal


class Coverage:
    """Counts how often each point of each group was seen.

    Parameters
    ----------
    goals: points by group; all of them must be seen.
    """

    def __init__(self, goals: Mapping[str, Iterable[str]]) -> None:
        self._seen = {group: dict.fromkeys(points, 0) for group, points in goals.items()}

    def hit(self, group: str, point: str, times: int = 1) -> None:
        """A point was seen so many times; raises Fatal for one that is no goal: it was thought impossible."""
        if point not in self._seen.get(group, ()):
            raise Fatal(
                f"coverage has no point {point!r} in {group!r}; goals of the group: {list(self._seen.get(group, ()))}"
            )
        self._seen[group][point] += times

    def count(self, group: str, point: str) -> int:
        """How often a point was seen."""
        return self._seen[group][point]

    @property
    def missing(self) -> list[str]:
        """Points that were not seen, with their groups."""
        points = ((group, point, count) for group, points in self._seen.items() for point, count in points.items())
        return [f"{group}: {point}" for group, point, count in points if count == 0]

    def table(self) -> str:
        """All points with their counts as a Markdown table, one row per group, and how many of them were seen."""
        total = sum(len(points) for points in self._seen.values())
        lines = [
            f"{total - len(self.missing)} of {total} points seen",
            "",
            "| Group | Points and how often |",
            "|---|---|",
        ]
        lines += [
            f"| {group} | {', '.join(f'{point} {count}' for point, count in points.items())} |"
            for group, points in self._seen.items()
        ]
        return "\n".join(lines) + "\n"
