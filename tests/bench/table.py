"""The table of medians, with ratios against the floors and wslay by hand; and the CSV file.

Not here: measuring (measure.py)."""
import csv
import statistics

REFERENCES = ("floor-send", "floor-batch", "wslay", "libwsmanager")

COLUMNS = [
    ("scenario", "<24"), ("server", "<13"), ("value", ">9"), ("unit", "<12"),
    ("p50_us", ">7"), ("p99_us", ">7"), ("cpu_ns", ">7"), ("user", ">6"), ("sys", ">6"),
    ("srv%", ">4"), ("load%", ">5"), ("wire_B", ">6"),
    ("v/send", ">6"), ("c/send", ">6"), ("v/batch", ">7"), ("c/batch", ">7"),
    ("v/wslay", ">7"), ("c/wslay", ">7"), ("v/own", ">6"), ("c/own", ">6"), ("note", "<"),
]  # fmt: skip

LEGEND = """
value: median of the rounds. p50, p99: time from sending (paced: from when it was due) to reading.
cpu, user, sys: the server's CPU time in ns for each delivery, handshake or disconnect.
srv%, load%: how busy the server and the load were. With load% near 100 the load is the limit: compare cpu.
v/..., c/...: value and cpu as multiples of those of floor-send, floor-batch, wslay and libwsmanager, with
WebSocket clients in the scenarios of other protocols.
note: other and stolen are CPU time of other processes and machines in the row's most disturbed round."""


def median(rounds, name):
    """The median of a figure in these rounds, or None if no round has it."""
    values = [figures[name] for figures in rounds if name in figures]
    return statistics.median(values) if values else None


def number(value):
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def ratio(value, reference):
    return f"{value / reference:.2f}" if value and reference else ""


def disturbance_note(rounds):
    notes = []
    for name, least in ("other", 25), ("stolen", 3):
        worst = max((figures.get(name, 0) for figures in rounds), default=0)
        if worst >= least:
            notes.append(f"{name} {worst:.0f} %")
    return notes


class Results:
    """All rounds of all rows, and their failures."""

    def __init__(self):
        self.rounds = {}  # from (scenario, server) to a dictionary of figures for each round
        self.failures = {}

    def add(self, scenario, server, figures):
        self.rounds.setdefault((scenario.name, server.name), []).append(figures)

    def fail(self, scenario, server, why):
        self.failures[scenario.name, server.name] = why

    def median(self, scenario_name, server_name, figure):
        return median(self.rounds.get((scenario_name, server_name), []), figure)

    def ratios(self, scenario, server_name):
        cells = []
        for reference in REFERENCES:
            for figure in scenario.figure.name, "cpu":
                mine = self.median(scenario.name, server_name, figure)
                cells.append(ratio(mine, self.median(scenario.reference, reference, figure)))
        return cells

    def row(self, scenario, server_name):
        key = scenario.name, server_name
        rounds = self.rounds.get(key, [])
        notes = disturbance_note(rounds)
        if key in self.failures:
            notes.append("failed: " + self.failures[key])
        if "--deflate" in scenario.load and rounds and not median(rounds, "compressed"):
            notes.append("the server does not compress")
        figures = [
            number(median(rounds, name))
            for name in ("latency_p50", "latency_p99", "cpu", "cpu_user", "cpu_system",
                         "server_busy", "load_busy", "wire")
        ]  # fmt: skip
        return [
            scenario.name, server_name, number(median(rounds, scenario.figure.name)),
            scenario.figure.unit, *figures, *self.ratios(scenario, server_name),
            "; ".join(notes),
        ]  # fmt: skip


def print_row(cells):
    widths = [width for _, width in COLUMNS]
    print(" ".join(f"{cell:{width}}" for cell, width in zip(cells, widths)).rstrip())


def print_table(results, rows):
    """`rows` are pairs of a scenario and a server's name."""
    print_row([title for title, _ in COLUMNS])
    previous = None
    for scenario, server_name in rows:
        if previous not in (None, scenario):
            print()
        print_row(results.row(scenario, server_name))
        previous = scenario
    print(LEGEND)


def print_programs(figures):
    """Prints the second part: the figures of the in-process programs."""
    print(f"\n{'program':<24} {'figure':<40} {'value':>14} unit")
    for program, name, value, unit in figures:
        print(f"{program:<24} {name:<40} {value:>14.10g} {unit}")


def write_csv(path, results, program_figures):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["scenario", "server", "figure", "median", "min", "max", "rounds"])
        for (scenario, server), rounds in results.rounds.items():
            for name in sorted({name for figures in rounds for name in figures}):
                values = [figures[name] for figures in rounds if name in figures]
                writer.writerow(
                    [scenario, server, name, statistics.median(values), min(values), max(values),
                     len(values)]
                )  # fmt: skip
        for program, name, value, unit in program_figures:
            writer.writerow([program, "", f"{name} {unit}", value, value, value, 1])
