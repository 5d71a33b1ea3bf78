"""The table that `make bench` prints: one row a figure, its spread, its peer, its goal."""

HEADINGS = ("bench", "case", "metric", "value", "min .. max", "n", "peer", "goal", "")


def render(rows):
    if not rows:
        return "No figures."
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "  ".join("-" * width for width in widths))
    goals = [row for row in rows if "goal" in row]
    met = sum(row["met"] for row in goals)
    text.append(f"{met} of {len(goals)} goals met." if goals else "No row has a goal.")
    return "\n".join(["", *text])


def _cells(row):
    peer = f"{row['peer']} {number(row['peer_value'])} (x{row['ratio']:.3g})" if "peer" in row else ""
    spread = f"{number(row['min'])} .. {number(row['max'])}" if row["n"] > 1 else ""
    verdict = "" if "goal" not in row else "met" if row["met"] else "MISSED"
    return (row["bench"], row["case"], row["metric"], f"{number(row['value'])} {row['unit']}", spread, str(row["n"]),
            peer, row.get("goal", ""), verdict)


def number(value):
    """Three to four digits, which is what a benchmark knows; large whole numbers in full."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
